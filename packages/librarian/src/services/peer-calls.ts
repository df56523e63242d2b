/** What this librarian asks of another by itself, with time limits: a peer's silence never holds up a caller for long. */

export interface PeerAddress {
  readonly url: string
  readonly port: number
}

export interface PeerLogin extends PeerAddress {
  readonly user: string
  readonly password: string
}

export interface PeerCalls {
  /** Whether it answers `ping/`; never throws. Needs no account there. */
  ping(peer: PeerAddress, options: { signal: AbortSignal }): Promise<boolean>
  /** Tells the receiver that a transfer has failed. */
  failClone(
    peer: PeerLogin,
    transfer: { id: number; remoteId: number; reason: string },
    options: { signal: AbortSignal },
  ): Promise<void>
}
