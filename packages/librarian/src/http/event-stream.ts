/**
 * Server-sent events for many listeners: what is to be told is asked for once for all of them, and written as the same bytes to
 * each who may hear it. Nobody is asked while nobody listens.
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
}

interface Seat {
  listener: Listener
  readonly again: () => Promise<Listener>
}

interface Told {
  readonly level: Level
  readonly bytes: Buffer
}

/** A listener that does not read so much is not there any more, or will look anew. */
const MOST_UNREAD = 1 << 20

const beat = Buffer.from(': still here\n\n')

export function createEventStream(options: EventStreamOptions): EventStream {
  const { news, clock, log, everyMs = 2000, beatMs = 15_000 } = options
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
        for (const [response, { listener }] of listeners) tellOne(response, listener, told)
      }
    } catch (error) {
      log.warn({ err: error }, 'What is new could not be told to open dashboards; it is tried again')
    }
  }

  async function lookAfter(): Promise<void> {
    for (const [response, seat] of listeners) {
      write(response, beat)
      try {
        seat.listener = await seat.again()
      } catch {
        response.end()
      }
    }
  }

  function tellOne(response: ServerResponse, { level }: Listener, told: Told): void {
    if (levels[level] >= levels[told.level]) write(response, told.bytes)
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
      listeners.set(response, { listener, again })
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
