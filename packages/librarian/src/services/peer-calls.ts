/** What this librarian asks of another by itself, with time limits: a peer's silence never holds up a caller for long. */

export interface PeerAddress {
  readonly url: string
  readonly port: number
}

export interface PeerLogin extends PeerAddress {
  readonly user: string
  readonly password: string
}

export interface AccountProblem {
  /** A librarian answered, whatever it said. */
  readonly isThere: boolean
  /** One sentence without an end, without the password. */
  readonly what: string
}

export interface PeerCalls {
  /** Whether it answers `ping/`; never throws. Needs no account there. */
  ping(peer: PeerAddress, options: { signal: AbortSignal }): Promise<boolean>
  /** Logs in there. Resolves to what is wrong, for a person; undefined: the account is good. */
  tryAccount(peer: PeerLogin, options: { signal: AbortSignal }): Promise<AccountProblem | undefined>
  /** Tells the receiver that a transfer has failed. */
  failClone(
    peer: PeerLogin,
    transfer: { id: number; remoteId: number; reason: string },
    options: { signal: AbortSignal },
  ): Promise<void>
}
