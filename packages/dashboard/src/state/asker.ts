import type { LibrarianError } from '@arriero/api'
import { createStore, type Store } from './store.ts'
import { toError } from './to-error.ts'

export interface AnswerState<Data> {
  /** The last one that came; it stays while it is asked again, and after a failure. */
  readonly data: Data | undefined
  /** Of the last call, if that failed. */
  readonly error: LibrarianError | undefined
  readonly isLoading: boolean
}

export type Load<Data> = (signal: AbortSignal) => Promise<Data>

/** Asks a question, and the same again, by one call at a time. */
export interface Asker<Data> {
  readonly state: Store<AnswerState<Data>>
  /** Another question: the call for the one before is cancelled. @param restMs it may change again so soon; default 0 */
  ask(load: Load<Data>, restMs?: number): void
  /**
   * The same question. While a call is under way it is asked once more after it, however often this is called: what changes
   * faster than it is answered would else never be seen.
   */
  again(): void
  stop(): void
}

export function createAsker<Data>(): Asker<Data> {
  const state = createStore<AnswerState<Data>>({ data: undefined, error: undefined, isLoading: true })
  let question: Load<Data> | undefined
  let controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isUnderWay = false
  let isWantedAgain = false

  const call = async () => {
    const { signal } = controller
    try {
      const data = await question!(signal)
      if (!signal.aborted) state.set({ data, error: undefined, isLoading: false })
    } catch (error) {
      if (!signal.aborted) state.set({ data: state.get().data, error: toError(error), isLoading: false })
    }
    if (signal.aborted) return
    isUnderWay = false
    if (isWantedAgain) begin(0)
  }
  const begin = (restMs: number) => {
    isUnderWay = true
    isWantedAgain = false
    state.set({ ...state.get(), isLoading: true })
    timer = setTimeout(call, restMs)
  }
  const stop = () => {
    clearTimeout(timer)
    controller.abort()
    isUnderWay = false
    isWantedAgain = false
  }

  return {
    state,
    ask(load, restMs = 0) {
      stop()
      controller = new AbortController()
      question = load
      begin(restMs)
    },
    again() {
      if (question === undefined || controller.signal.aborted) return
      if (isUnderWay) isWantedAgain = true
      else begin(0)
    },
    stop,
  }
}
