/** What a test FTP server does, and does wrong. Every property may be changed while it runs. */

/** A transfer that is about to begin. */
export interface FtpTransfer {
  /** `RETR`, `LIST`, … */
  readonly verb: string
  readonly path: string
  /** Offset that REST set. */
  readonly start: number
  /** How many transfers of this verb came before, over all connections. */
  readonly index: number
}

export interface TransferFault {
  /** The data connection is cut after so many bytes of this transfer. */
  readonly cutAfter?: number | undefined
  /** The data connection falls silent after so many bytes. */
  readonly stallAfter?: number | undefined
  /** So many bytes too many at the end. */
  readonly extra?: number | undefined
  /** Bytes per second. */
  readonly rate?: number | undefined
  /** The last reply, instead of 226 or 426; empty: none. */
  readonly finalReply?: string | undefined
  /** Called when so many bytes were sent. */
  readonly after?: { readonly bytes: number; readonly call: () => void } | undefined
}

export interface FtpBehaviour {
  /** Passwords by user. Anybody may be `anonymous`. */
  users: Record<string, string>
  greeting: string
  /** Lines of FEAT; undefined: FEAT is not known. */
  features: readonly string[] | undefined
  /** Listing commands that are known. Default: all. */
  lists: readonly ('MLSD' | 'LIST' | 'NLST')[]
  style: 'unix' | 'dos'
  /** MLSD shows links as what they lead to. */
  followsLinks: boolean
  /** NLST answers with paths instead of names. */
  hasNamePaths: boolean
  /** LIST shows names with a dot only after `-a`. */
  hidesDots: boolean
  isRestKnown: boolean
  isEpsvKnown: boolean
  /** The four numbers of the PASV reply. */
  pasvAddress: string
  /** Most control connections at once; the next is greeted by 421. */
  most: number
  tls: 'none' | 'explicit' | 'implicit'
  /** Data connections must resume the TLS session of the control connection. */
  needsReuse: boolean
  /** An answer instead of the usual one; undefined: as usual. `hang`: none at all; `close`: the connection is closed. */
  onCommand: (verb: string, argument: string, nth: number) => string | undefined
  onTransfer: (transfer: FtpTransfer) => TransferFault | undefined
  /** Every command of a connection is read so long after the one before it was done with, ms. */
  latencyMs: number
  /** Replies are sent in two pieces, cut after so many bytes. */
  cutReplies: number | undefined
}

export function usualBehaviour(): FtpBehaviour {
  return {
    users: {},
    greeting: '220 test server',
    features: ['UTF8', 'REST STREAM', 'SIZE', 'MDTM', 'EPSV', 'MLST type*;size*;modify*;unique*;'],
    lists: ['MLSD', 'LIST', 'NLST'],
    style: 'unix',
    followsLinks: false,
    hasNamePaths: false,
    hidesDots: false,
    isRestKnown: true,
    isEpsvKnown: true,
    pasvAddress: '127,0,0,1',
    most: Number.POSITIVE_INFINITY,
    tls: 'none',
    needsReuse: false,
    onCommand: () => undefined,
    onTransfer: () => undefined,
    latencyMs: 0,
    cutReplies: undefined,
  }
}
