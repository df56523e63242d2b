/** One process of a site: killed after so many of its calls, from which on none of them ever returns. */
import type { Catalogue } from '../../src/catalogue/catalogue.ts'
import type { Store } from '../../src/stores/store.ts'

export interface Life {
  readonly died: Promise<void>
  isDead(): boolean
  kill(): void
  /** It dies in its so-manieth call from now; undefined: it lives on. */
  killIn(calls: number | undefined): void
  wrapCatalogue(catalogue: Catalogue): Catalogue
  wrapStore(store: Store): Store
}

type AnyCall = (...args: unknown[]) => Promise<unknown>

/** @param pause before each call, so that what goes on at the same time is done in another order each time */
export function createLife({ pause, isAfter }: { pause(): number; isAfter(): boolean }): Life {
  const { promise: died, resolve } = Promise.withResolvers<void>()
  let left: number | undefined
  let isDead = false
  const never = () => new Promise<never>(() => undefined)

  const wrap =
    (call: AnyCall): AnyCall =>
    async (...args) => {
      if (isDead) return await never()
      for (let n = pause(); n > 0; n--) await undefined
      if (left !== undefined) left -= 1
      const isLast = left === 0
      if (isDead) return await never()
      if (isLast && !isAfter()) return await die()
      const result = await call(...args)
      return isLast ? await die() : isDead ? await never() : result
    }

  function kill(): void {
    isDead = true
    resolve()
  }

  async function die(): Promise<never> {
    kill()
    return await never()
  }

  return {
    died,
    isDead: () => isDead,
    kill,
    killIn(calls) {
      left = calls
    },
    wrapCatalogue: catalogue =>
      Object.fromEntries(
        Object.entries(catalogue).map(([area, members]) => [
          area,
          typeof members === 'object' && members !== null
            ? Object.fromEntries(Object.entries(members).map(([name, call]) => [name, wrap(call as AnyCall)]))
            : members,
        ]),
      ) as unknown as Catalogue,
    wrapStore: store =>
      new Proxy(store, {
        get(target, key) {
          const value = Reflect.get(target, key, target) as unknown
          if (typeof value !== 'function') return value
          const bound = value.bind(target) as AnyCall
          return asynchronous.has(String(key)) ? wrap(bound) : bound
        },
      }),
  }
}

/** The others answer at once, or piece by piece. */
const asynchronous = new Set([
  'state',
  'openSpool',
  'removeSpool',
  'prepare',
  'publish',
  'settle',
  'inspect',
  'stat',
  'examine',
  'trash',
  'restore',
  'purge',
  'appendTrail',
])
