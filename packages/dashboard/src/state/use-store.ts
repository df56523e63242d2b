import { useLayoutEffect, useReducer } from 'preact/hooks'
import type { Store } from './store.ts'

/** The store’s value; the component is drawn again when it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, draw] = useReducer((count: number) => count + 1, 0)
  const value = store.get()
  // It may have changed between drawing and here.
  useLayoutEffect(() => {
    if (!Object.is(value, store.get())) draw(undefined)
    return store.subscribe(() => draw(undefined))
  }, [store])
  return value
}
