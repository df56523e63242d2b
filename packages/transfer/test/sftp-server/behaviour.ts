/** What a scripted server does, other than it should. Everything may be changed while it runs. */
export interface ReadAsked {
  readonly path: string
  readonly offset: number
  readonly length: number
  /** Which connection of the server this is, from 1. */
  readonly connection: number
  /** Reads so far, this one included, on all connections. */
  readonly count: number
}

export type ReadFault =
  /** Fewer bytes than were asked for. */
  | { readonly is: 'short'; readonly length: number }
  /** Answers after others that were asked for later. */
  | { readonly is: 'late'; readonly ms: number }
  /** The connection is closed instead of an answer. */
  | { readonly is: 'cut' }
  /** Nothing comes on this connection any more. */
  | { readonly is: 'silent' }
  /** The file ends here. */
  | { readonly is: 'eof' }
  | { readonly is: 'status'; readonly status: number }
  /** More bytes than were asked for. */
  | { readonly is: 'too long' }

export interface Behaviour {
  onRead?: ((asked: ReadAsked) => ReadFault | undefined) | undefined
  /** Milliseconds before a STATUS, HANDLE or ATTRS answer. */
  delayMs?: number | undefined
  /** Connections beyond that are closed before the handshake, as with MaxStartups. */
  mostConnections?: number | undefined
  /** Connections beyond that log in, but get no session. */
  mostSessions?: number | undefined
  /** Accepts the connection and then says nothing. */
  isMute?: boolean | undefined
  /** Fails at opening directories so often. */
  failingLists?: number | undefined
}

export interface Users {
  readonly name: string
  readonly password?: string | undefined
  /** Answers to a question for it, not to the method `password`. */
  readonly isPasswordAsked?: boolean | undefined
  /** Public keys in wire form. */
  readonly keys?: readonly Buffer[] | undefined
}
