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

export const sendByXhr: Send = ({ method, url, headers, body, signal, onSent }) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const xhr = new XMLHttpRequest()
    const abort = () => xhr.abort()
    xhr.open(method, url)
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    if (onSent) xhr.upload.addEventListener('progress', ({ loaded }) => onSent(loaded))
    xhr.addEventListener('loadend', () => {
      signal.removeEventListener('abort', abort)
      if (signal.aborted) reject(signal.reason)
      else resolve({ status: xhr.status, text: xhr.responseText, header: name => xhr.getResponseHeader(name) })
    })
    signal.addEventListener('abort', abort, { once: true })
    xhr.send(body ?? null)
  })
