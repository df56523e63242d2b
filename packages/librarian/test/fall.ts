/**
 * Stops a process at one of its calls to the catalogue or to a store, as a kill would: the call is made or not, and nothing
 * after it ever happens. Or lets the call fail, with or without its effect, and the process goes on.
 */
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import type { Store } from '../src/stores/store.ts'

export interface FallOptions {
  /** Which call, from 1; Infinity: none, to count them. */
  readonly at: number
  /** `kill`: never returns · `throw`: fails. */
  readonly how: 'kill' | 'throw'
  /** Whether the call has its effect. */
  readonly when: 'before' | 'after'
}

export interface Fall {
  readonly calls: () => number
  /** Name of the call that fell. */
  readonly fallen: () => string | undefined
  /** Resolves when the process is dead. */
  readonly died: Promise<void>
  readonly wrapCatalogue: (catalogue: Catalogue) => Catalogue
  readonly wrapStore: (store: Store) => Store
}

type AnyCall = (...args: unknown[]) => Promise<unknown>

/** Calls that change nothing are not worth falling at, except those by which recovery decides. */
const storeCalls = new Set([
  'openStaging',
  'removeStaging',
  'openSpool',
  'removeSpool',
  'prepare',
  'publish',
  'adopt',
  'replace',
  'settle',
  'inspect',
  'trash',
  'restore',
  'purge',
  'appendTrail',
  'examine',
])
const areas = ['intents', 'uploads', 'instances', 'deletions', 'trash', 'clones', 'repairs', 'replacements'] as const

export function fallAt({ at, how, when }: FallOptions): Fall {
  let count = 0
  let name: string | undefined
  let isDead = false
  const { promise: died, resolve: die } = Promise.withResolvers<void>()
  const never = () => new Promise<never>(() => undefined)

  function wrap(label: string, call: AnyCall): AnyCall {
    return async (...args) => {
      if (isDead) return await never()
      count += 1
      if (count !== at) {
        const result = await call(...args)
        return isDead ? await never() : result
      }
      name = label
      if (when === 'after') await call(...args)
      if (how === 'throw') throw Object.assign(new Error(`EIO: i/o error, ${label}`), { code: 'EIO' })
      isDead = true
      die()
      return await never()
    }
  }

  return {
    calls: () => count,
    fallen: () => name,
    died,
    wrapCatalogue: catalogue => {
      const wrapped = { ...catalogue } as unknown as Record<string, Record<string, AnyCall>>
      for (const area of areas) {
        const members = Object.entries((catalogue as unknown as Record<string, Record<string, AnyCall>>)[area] ?? {})
        wrapped[area] = Object.fromEntries(members.map(([key, call]) => [key, wrap(`${area}.${key}`, call)]))
      }
      return wrapped as unknown as Catalogue
    },
    wrapStore: store =>
      new Proxy(store, {
        get(target, key) {
          const value = Reflect.get(target, key, target) as unknown
          if (typeof value !== 'function') return value
          const bound = value.bind(target) as AnyCall
          return storeCalls.has(String(key)) ? wrap(`store.${String(key)}`, bound) : bound
        },
      }),
  }
}
