/**
 * How many connections to one origin: grows while growing pays, gives way when the origin or the path suffers
 * (retrieval 9). A pure state machine that is fed one observation per window: of 250 ms in slow start, then of 500 ms.
 *
 *   slow start   +50 %; goodput +25 %? again at once : wait for a second in all, because new connections need time to
 *                open; then +10 %? again : back to additive (docs/decisions/0007-early-look.md)
 *   additive     try one more: one window to open it, two to measure; +5 %? keep it and try the next : step back, rest 5 s
 *   give way     429, 503, refusal, rising resets, or −20 % after an increase, if its windows agree: half, and no growth
 *                for 10 s.
 *                What did not go well is not tried again for a minute: without that memory the limit would saw.
 *
 * It looks at goodput alone, never at latency: a controller that grows while latency is low ruins fast links. A window
 * in which the limit was not used up says nothing about it and changes nothing. Not promised: the best limit on a path
 * whose goodput jumps by more than 5 % by itself; there it may settle higher than needed, never above the maximum.
 */

/** Why the origin should be spared. */
export type PushBackReason = 'throttled' | 'refused' | 'resets' | 'collapse'

export interface Observation {
  /** Useful bytes per second over the window that just ended. */
  readonly goodput: number
  /** The end of the window, milliseconds. */
  readonly now: number
  /** The limit was used up at some moment of the window. */
  readonly atLimit: boolean
  /** Connections that were reset during the window. Default 0. */
  readonly resets?: number | undefined
}

export interface ConnectionControlOptions {
  /** Connections to begin with. Default 4. */
  readonly initial?: number | undefined
  /** Default 16. */
  readonly maximum?: number | undefined
}

export interface ConnectionControl {
  /** How many connections may be open now. At least 1. */
  readonly limit: number
  readonly maximum: number
  /** How long the next window shall be, milliseconds. */
  readonly windowMs: number
  /** One window is over. Returns the limit from now on. */
  observe(observation: Observation): number
  /** Halves the limit, once for all push-backs of one second, and forbids growth for 10 s. Returns the new limit. */
  pushBack(now: number, reason: PushBackReason): number
}

/** Milliseconds that an observation should cover. */
export const CONTROL_WINDOW_MS = 500
/** In slow start: where growth shows at once, half a second would be spent waiting for what is known. */
const SLOW_START_WINDOW_MS = 250
/** Windows of slow start in which growth may still show. */
const SLOW_START_LOOKS = 4
/** So many times as many where windows scatter. */
const ERRATIC_LOOKS = 2
const HOLD_MS = 10_000
const PROBE_EVERY_MS = 5_000
const BRINK_MEMORY_MS = 60_000
/** Requests that were under way when the limit was halved may still be refused: that is the same push-back. */
const SAME_PUSH_BACK_MS = 1_000

/** An increase whose worth is being measured. */
interface Trial {
  readonly kind: 'slow start' | 'additive'
  /** Limit and goodput before it. */
  readonly from: number
  readonly baseline: number
  readonly windows: number[]
}

export function createConnectionControl(options: ConnectionControlOptions = {}): ConnectionControl {
  return new AdaptiveControl(options)
}

class AdaptiveControl implements ConnectionControl {
  readonly maximum: number
  #limit: number
  #trial: Trial | undefined
  #isSlowStart = true
  /** Goodput of the latest windows at the present limit, at most two. */
  #recent: number[] = []
  #restUntil = -Infinity
  #pushedBackAt = -Infinity
  /** A limit that did not go well, and until when it is remembered. */
  #brink = { limit: Infinity, until: -Infinity }
  #resets = 0

  constructor({ initial = 4, maximum = 16 }: ConnectionControlOptions) {
    if (!(maximum >= 1)) throw new RangeError(`Cannot limit connections to ${maximum}: at least 1 is needed`)
    this.maximum = Math.floor(maximum)
    this.#limit = Math.max(1, Math.min(this.maximum, Math.floor(initial)))
  }

  get limit(): number {
    return this.#limit
  }

  get windowMs(): number {
    return this.#isSlowStart ? SLOW_START_WINDOW_MS : CONTROL_WINDOW_MS
  }

  observe({ goodput, now, atLimit, resets = 0 }: Observation): number {
    const areResetsRising = resets >= 2 && resets > this.#resets
    this.#resets = resets
    if (areResetsRising) return this.pushBack(now, 'resets')
    if (!atLimit) return this.#limit
    if (this.#trial) this.#judge(this.#trial, goodput, now)
    else this.#recent = [...this.#recent, goodput].slice(-2)
    if (!this.#trial && now >= this.#restUntil) this.#tryMore(now)
    return this.#limit
  }

  pushBack(now: number, _reason: PushBackReason): number {
    const wasCalm = now >= this.#restUntil || this.#trial !== undefined
    this.#restUntil = Math.max(this.#restUntil, now + HOLD_MS)
    if (now - this.#pushedBackAt < SAME_PUSH_BACK_MS) return this.#limit
    this.#pushedBackAt = now
    // Trouble that goes on at half the limit is an outage: it tells nothing of how many connections are too many.
    if (wasCalm) this.#brink = { limit: Math.max(2, this.#limit), until: now + BRINK_MEMORY_MS }
    this.#settle(Math.max(1, Math.floor(this.#limit / 2)))
    this.#isSlowStart = false
    return this.#limit
  }

  #judge(trial: Trial, goodput: number, now: number): void {
    trial.windows.push(goodput)
    if (trial.kind === 'slow start' && this.#hasGrown(trial, goodput)) return this.#keep(goodput)
    const isErratic = areErratic(trial.windows)
    const looks = (trial.kind === 'slow start' ? SLOW_START_LOOKS : 3) * (isErratic ? ERRATIC_LOOKS : 1)
    if (trial.windows.length < looks) return
    this.#isSlowStart = false
    const reached = mean(isErratic ? trial.windows : trial.windows.slice(-2))
    if (reached < 0.8 * trial.baseline && !isErratic) this.pushBack(now, 'collapse')
    else if (reached >= 1.05 * trial.baseline) this.#keep(reached)
    else {
      this.#settle(trial.from)
      this.#restUntil = Math.max(this.#restUntil, now + PROBE_EVERY_MS)
    }
  }

  /** A short window scatters more than a long one: alone it has to show more. */
  #hasGrown({ windows, baseline }: Trial, goodput: number): boolean {
    return goodput >= 1.25 * baseline || (windows.length >= 2 && mean(windows.slice(-2)) >= 1.1 * baseline)
  }

  #keep(goodput: number): void {
    this.#settle(this.#limit)
    this.#recent = [goodput]
  }

  #settle(limit: number): void {
    this.#limit = limit
    this.#trial = undefined
    this.#recent = []
  }

  #tryMore(now: number): void {
    const baseline = mean(this.#recent)
    const ceiling = now < this.#brink.until ? Math.min(this.maximum, this.#brink.limit - 1) : this.maximum
    const wanted = this.#limit + (this.#isSlowStart ? Math.ceil(this.#limit / 2) : additiveStep(this.#limit))
    const next = Math.min(wanted, ceiling)
    // Without bytes there is nothing to compare with.
    if (next <= this.#limit || !(baseline > 0)) return
    this.#trial = { kind: this.#isSlowStart ? 'slow start' : 'additive', from: this.#limit, baseline, windows: [] }
    this.#limit = next
  }
}

/** A few short files of uneven sizes make one window twice another: that is neither a gain nor a collapse. */
function areErratic(windows: readonly number[]): boolean {
  return Math.max(...windows) > 2 * Math.min(...windows)
}

/** One; beyond 16 as many as can raise the goodput by 5 % at all. */
function additiveStep(limit: number): number {
  return Math.ceil(limit / 16)
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
