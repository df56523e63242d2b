/**
 * Server-sent events for many listeners: what is to be told is asked for once for all of them, and written as the same bytes to
 * each who may hear it. Nobody is asked while nobody listens.
 *
 *     what lasts     is all there is to know: to everybody at once
 *     what does not  has whoever hears it ask for more: to so many at a time, whoever has waited longest first, so that what
 *                    hundreds of listeners ask is spread, and bounded; of several of a kind each hears one
 */
import type { ServerResponse } from 'node:http'
import { type Level, levels } from '@arriero/api'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

export interface StreamedEvent {
  readonly event: string
  /** One line. */
  readonly data: string
  /** Whoever comes later gets the last of its kind at once. */
  readonly lasts: boolean
  /** Least level of those who hear of it, and of its being there at all. */
  readonly level: Level
}

/** Of a listener. */
interface Listener {
  readonly level: Level
}

export interface EventStream {
  /**
   * Resolves when the listener has gone, or was sent away.
   *
   * @param again asked now and then who it is; when it rejects, the stream ends and the browser asks anew
   */
  serve(response: ServerResponse, listener: Listener, again: () => Promise<Listener>): Promise<void>
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

interface Seat {
  listener: Listener
  readonly again: () => Promise<Listener>
  /** By their kinds: what it was not told yet, that has it ask. */
  readonly waiting: Map<string, Told>
}

interface Told {
  readonly level: Level
  readonly bytes: Buffer
}

/** A listener that does not read so much is not there any more, or will look anew. */
const MOST_UNREAD = 1 << 20

const mayHear = ({ level }: Listener, told: Told): boolean => levels[level] >= levels[told.level]

const beat = Buffer.from(': still here\n\n')

export function createEventStream(options: EventStreamOptions): EventStream {
  const { news, clock, log, everyMs = 2000, beatMs = 15_000, askingAtOnce = 40 } = options
  /** Whoever was told last to ask stands last. */
  const listeners = new Map<ServerResponse, Seat>()
  const lasting = new Map<string, Told>()
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
      for (const { event, data, lasts, level } of await news()) {
        const told = { level, bytes: Buffer.from(`event: ${event}\ndata: ${data}\n\n`) }
        if (lasts) lasting.set(event, told)
        for (const [response, { listener, waiting }] of listeners) {
          if (lasts) tellOne(response, listener, told)
          else if (mayHear(listener, told)) waiting.set(event, told)
        }
      }
    } catch (error) {
      log.warn({ err: error }, 'What is new could not be told to open dashboards; it is tried again')
    }
    letAsk()
  }

  function letAsk(): void {
    const next = [...listeners].filter(([, { waiting }]) => waiting.size > 0).slice(0, askingAtOnce)
    for (const [response, seat] of next) {
      for (const told of seat.waiting.values()) tellOne(response, seat.listener, told)
      seat.waiting.clear()
      listeners.delete(response)
      listeners.set(response, seat)
    }
  }

  /** Together: one after the other, hundreds would hold up the news. */
  async function lookAfter(): Promise<void> {
    const looks = [...listeners].map(async ([response, seat]) => {
      write(response, beat)
      try {
        seat.listener = await seat.again()
      } catch {
        response.end()
      }
    })
    await Promise.all(looks)
  }

  function tellOne(response: ServerResponse, listener: Listener, told: Told): void {
    if (mayHear(listener, told)) write(response, told.bytes)
  }

  function write(response: ServerResponse, bytes: Buffer): void {
    if (response.writableLength > MOST_UNREAD) response.destroy()
    else if (!response.writableEnded) response.write(bytes)
  }

  return {
    async serve(response, listener, again) {
      const isOver = new Promise<void>(resolve => response.once('close', resolve))
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // Of one proxy that would gather what is to be seen at once.
        'x-accel-buffering': 'no',
      })
      response.write('retry: 3000\n\n')
      for (const told of lasting.values()) tellOne(response, listener, told)
      listeners.set(response, { listener, again, waiting: new Map() })
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
