import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLive, type EventStream } from './live.ts'

class ScriptedStream extends EventTarget implements EventStream {
  readyState = 0
  isClosed = false

  close(): void {
    this.isClosed = true
  }

  says(topic: string, data: unknown = { changed: true }): void {
    this.dispatchEvent(new MessageEvent(topic, { data: JSON.stringify(data) }))
  }

  breaks({ forGood }: { readonly forGood: boolean }): void {
    this.readyState = forGood ? 2 : 0
    this.dispatchEvent(new Event('error'))
  }
}

function createScripted() {
  const streams: ScriptedStream[] = []
  const refused = vi.fn()
  const live = createLive({
    open() {
      const stream = new ScriptedStream()
      streams.push(stream)
      return stream
    },
    onRefused: refused,
  })
  return { live, streams, refused }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('live tells listeners of their topic alone, and keeps the overview that came', () => {
  const { live, streams } = createScripted()
  const heard: string[] = []
  live.on('tasks', () => heard.push('tasks'))
  live.on('overview', () => heard.push('overview'))
  live.start()
  streams[0]!.dispatchEvent(new Event('open'))
  streams[0]!.says('tasks')
  streams[0]!.says('overview', { site_name: 'here' })
  expect(heard).toEqual(['tasks', 'overview'])
  expect(live.overview.get()).toEqual({ site_name: 'here' })
  expect(live.state.get()).toBe('live')
})

test('without events, listeners are told to look every ten seconds, and at once when events are back', () => {
  const { live, streams } = createScripted()
  const look = vi.fn()
  live.on('transfers', look)
  live.start()
  streams[0]!.dispatchEvent(new Event('open'))
  vi.advanceTimersByTime(30_000)
  expect(look).not.toHaveBeenCalled()
  streams[0]!.breaks({ forGood: false })
  expect(live.state.get()).toBe('late')
  vi.advanceTimersByTime(20_000)
  expect(look).toHaveBeenCalledTimes(2)
  streams[0]!.dispatchEvent(new Event('open'))
  expect(look).toHaveBeenCalledTimes(3)
  expect(live.state.get()).toBe('live')
})

test('an overview that came before the line broke is not shown as the present one', () => {
  const { live, streams } = createScripted()
  live.start()
  streams[0]!.says('overview', { site_name: 'here' })
  streams[0]!.breaks({ forGood: false })
  expect(live.overview.get()).toBeUndefined()
})

test('a stream that the server refused is opened anew, and the session is looked at', () => {
  const { live, streams, refused } = createScripted()
  live.start()
  streams[0]!.breaks({ forGood: true })
  expect(refused).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(5000)
  expect(streams).toHaveLength(2)
})

test('what was started ends: no stream, no timer', () => {
  const { live, streams } = createScripted()
  const stop = live.start()
  streams[0]!.breaks({ forGood: true })
  stop()
  vi.advanceTimersByTime(60_000)
  expect(streams).toHaveLength(1)
  expect(streams[0]!.isClosed).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
