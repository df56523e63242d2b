/**
 * Server-sent events for many listeners: what is to be told is asked for once for all of them, and written as the same bytes to
 * each. Nobody is asked while nobody listens.
 *
 *     what lasts     is all there is to know: to everybody at once
 *     what does not  has whoever hears it ask for more: to so many at a time, whoever has waited longest first, so that what
 *                    hundreds of listeners ask is spread, and bounded; of several of a kind each hears one
 */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

export interface StreamedEvent {
  readonly event: string
  /** One line. */
  readonly data: string
  /** Whoever comes later gets the last of its kind at once. */
  readonly lasts: boolean
}

export interface EventStream {
  /**
   * Resolves when the listener has gone, or was sent away.
   *
   * @param mayStay asked now and then; when it rejects, the stream ends and the browser asks anew
   */
  serve(response: ServerResponse, mayStay: () => Promise<void>): Promise<void>
  /** Ends all streams, and takes no more. */
  close(): void
}

export interface EventStreamOptions {
  /** What is new since it was asked last. */
  readonly news: () => Promise<readonly StreamedEvent[]>
  readonly clock: Clock
  readonly log: Log
  /** Default 2,000. */
  readonly everyMs?: number | undefined
  /** Default 15,000. */
  readonly beatMs?: number | undefined
  /** Listeners that are told at a time what has them ask. Default 40: of two hundred each hears of it within ten seconds. */
  readonly askingAtOnce?: number | undefined
}

interface Listener {
  readonly mayStay: () => Promise<void>
  /** By their kinds: what it was not told yet, that has it ask. */
  readonly waiting: Map<string, Buffer>
}

/** A listener that does not read so much is not there any more, or will look anew. */
const MOST_UNREAD = 1 << 20

const beat = Buffer.from(': still here\n\n')

export function createEventStream(options: EventStreamOptions): EventStream {
  const { news, clock, log, everyMs = 2000, beatMs = 15_000, askingAtOnce = 40 } = options
  /** Whoever was told last to ask stands last. */
  const listeners = new Map<ServerResponse, Listener>()
  const lasting = new Map<string, Buffer>()
  const closing = new AbortController()
  let isRunning = false

  async function run(): Promise<void> {
    if (isRunning) return
    isRunning = true
    let beatAt = clock.now() + beatMs
    while (listeners.size > 0 && !closing.signal.aborted) {
      await tell()
      if (clock.now() >= beatAt) {
        beatAt = clock.now() + beatMs
        await lookAfter()
      }
      await clock.sleep(everyMs, closing.signal).catch(() => {})
    }
    isRunning = false
  }

  async function tell(): Promise<void> {
    try {
      for (const { event, data, lasts } of await news()) {
        const bytes = Buffer.from(`event: ${event}\ndata: ${data}\n\n`)
        if (lasts) lasting.set(event, bytes)
        for (const [response, { waiting }] of listeners) {
          if (lasts) write(response, bytes)
          else waiting.set(event, bytes)
        }
      }
    } catch (error) {
      log.warn({ err: error }, 'What is new could not be told to open dashboards; it is tried again')
    }
    letAsk()
  }

  function letAsk(): void {
    const next = [...listeners].filter(([, { waiting }]) => waiting.size > 0).slice(0, askingAtOnce)
    for (const [response, listener] of next) {
      for (const bytes of listener.waiting.values()) write(response, bytes)
      listener.waiting.clear()
      listeners.delete(response)
      listeners.set(response, listener)
    }
  }

  /** Together: one after the other, hundreds would hold up the news. */
  async function lookAfter(): Promise<void> {
    const looks = [...listeners].map(([response, { mayStay }]) => {
      write(response, beat)
      return mayStay().catch(() => response.end())
    })
    await Promise.all(looks)
  }

  function write(response: ServerResponse, bytes: Buffer): void {
    if (response.writableLength > MOST_UNREAD) response.destroy()
    else if (!response.writableEnded) response.write(bytes)
  }

  return {
    async serve(response, mayStay) {
      const isOver = new Promise<void>(resolve => response.once('close', resolve))
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // Of one proxy that would gather what is to be seen at once.
        'x-accel-buffering': 'no',
      })
      response.write('retry: 3000\n\n')
      for (const bytes of lasting.values()) response.write(bytes)
      listeners.set(response, { mayStay, waiting: new Map() })
      if (closing.signal.aborted) response.end()
      void run()
      await isOver
      listeners.delete(response)
    },
    close() {
      closing.abort(new Error('The server is stopping'))
      for (const response of listeners.keys()) response.end()
    },
  }
}
