import { useEffect, useRef } from 'preact/hooks'
import type { Topic } from '../live/live.ts'
import { useServices } from '../services.ts'
import { type AnswerState, type Asker, createAsker, type Load } from './asker.ts'
import { useStore } from './use-store.ts'

export interface Answer<Data> extends AnswerState<Data> {
  again(): void
}

export interface AnswerOptions {
  /** It is asked again when one of these is told by the server; without events, every ten seconds. */
  readonly topics?: readonly Topic[]
  /** Waits so long when `inputs` have changed, in case they change again; milliseconds, default 0. */
  readonly restMs?: number
}

/**
 * What a call answers, asked at once, again when `inputs` change, and when the server tells of something new. A call that is
 * no longer wanted is cancelled.
 */
export function useAnswer<Data>(
  load: Load<Data>,
  inputs: readonly unknown[],
  { topics = [], restMs = 0 }: AnswerOptions = {},
): Answer<Data> {
  const { live } = useServices()
  const held = useRef<Asker<Data>>(undefined)
  held.current ??= createAsker<Data>()
  const asker = held.current
  const latest = useRef(load)
  latest.current = load
  const isFirst = useRef(true)

  // The caller says by `inputs` when to ask.
  useEffect(() => {
    asker.ask(signal => latest.current(signal), isFirst.current ? 0 : restMs)
    isFirst.current = false
  }, inputs)
  useEffect(() => asker.stop, [asker])

  // By their names, since lists are other ones each time.
  useEffect(() => {
    const stops = topics.map(topic => live.on(topic, asker.again))
    return () => {
      for (const stop of stops) stop()
    }
  }, [live, asker, topics.join()])

  return { ...useStore(asker.state), again: asker.again }
}
