/** The browser's `EventSource`, as much of it as the dashboard uses, with a cookie. */
import { type ClientRequest, get } from 'node:http'
import type { EventStream } from '../../packages/dashboard/src/live/live.ts'

const OPEN = 1
const CLOSED = 2

/** Does not connect again by itself: whoever uses it opens another one when this is closed. */
export class SessionEventSource implements EventStream {
  readyState = 0
  readonly #listeners = new Map<string, ((event: Event) => void)[]>()
  readonly #request: ClientRequest
  #unread = ''

  constructor(url: string, { cookie }: { readonly cookie: string }) {
    this.#request = get(url, { headers: { cookie, accept: 'text/event-stream' } }, response => {
      if (response.statusCode !== 200) return this.#fail()
      this.readyState = OPEN
      this.#tell('open')
      response.setEncoding('utf8')
      response.on('data', (text: string) => this.#read(text))
      response.on('close', () => this.#fail())
    })
    this.#request.on('error', () => this.#fail())
  }

  addEventListener(name: string, listener: (event: Event) => void): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener])
  }

  close(): void {
    this.readyState = CLOSED
    this.#request.destroy()
  }

  #read(text: string): void {
    const events = (this.#unread + text).split('\n\n')
    this.#unread = events.pop() ?? ''
    for (const event of events) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
      if (name !== undefined) this.#tell(name, data)
    }
  }

  #fail(): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.#tell('error')
  }

  #tell(name: string, data?: string): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(new MessageEvent(name, { data }))
  }
}
