/** One HTTP request whose body is told as it goes out, which `fetch` cannot do. */
export interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Blob
  readonly signal: AbortSignal
  /** Bytes of the body that have gone out. */
  readonly onSent?: (bytes: number) => void
}

export interface Response {
  /** 0: no answer came. */
  readonly status: number
  readonly text: string
  header(name: string): string | null
}

/** @throws the signal’s reason */
export type Send = (request: Request) => Promise<Response>
