import type { HookName, HookTime, HookTimes } from '../hooks.ts'

/** Adds up what hooks take. */
export class HookClock {
  readonly #times = new Map<HookName, { calls: number; ms: number }>()
  #ms = 0

  /** All hooks together. */
  get ms(): number {
    return this.#ms
  }

  /** @param calls 0 for more of a call that was counted */
  add(name: HookName, ms: number, calls = 1): void {
    this.#ms += ms
    const time = this.#times.get(name)
    if (time) {
      time.calls += calls
      time.ms += ms
    } else this.#times.set(name, { calls, ms })
  }

  /** By hook, tenths of a ms; undefined when none was called. */
  get times(): HookTimes | undefined {
    if (this.#times.size === 0) return undefined
    const rounded = ([name, { calls, ms }]: [HookName, HookTime]) => [name, { calls, ms: Math.round(ms * 10) / 10 }]
    return Object.fromEntries([...this.#times].map(rounded))
  }
}
