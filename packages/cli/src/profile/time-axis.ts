export interface TimeAxis {
  /** s */
  readonly duration: number
  /** s */
  readonly ticks: readonly number[]
  format(seconds: number): string
}

/** s between labels: what people count in. */
const steps = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10_800, 21_600, 43_200, 86_400,
]

/**
 * @param duration s
 * @param most labels that have room
 */
export function timeAxis(duration: number, most: number): TimeAxis {
  const step = steps.find(each => duration / each <= most) ?? Math.ceil(duration / most / 86_400) * 86_400
  // Counted, not added up: ten times 0.1 is not 1.
  const ticks = Array.from({ length: Math.floor(duration / step + 1e-9) + 1 }, (_, n) => (n * step * 1000) / 1000)
  return { duration, ticks, format: seconds => formatTime(seconds, step) }
}

/** `0.25 s`, `45 s`, `12:30`, `3:07:00`: as fine as the steps are. */
export function formatTime(time: number, step: number): string {
  const digits = step >= 1 ? 0 : Math.min(3, Math.ceil(-Math.log10(step) - 1e-9))
  const seconds = Number(time.toFixed(digits))
  if (seconds < 120 && (step < 60 || seconds === 0)) return `${seconds.toFixed(digits)} s`
  const whole = Math.floor(seconds)
  const rest = (seconds - whole).toFixed(digits).slice(1)
  const two = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const clock = hours > 0 ? `${hours}:${two(minutes)}` : String(minutes)
  return `${clock}:${two(whole % 60)}${rest}`
}
