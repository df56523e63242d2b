import type { Context } from '../context.ts'
import { printable } from '../text.ts'
import { formatClock, formatDuration, formatRate, formatSize } from '../units.ts'
import type { FileView, Measure, TotalView } from './measure.ts'
import type { View } from './view.ts'

const everyMs = 10_000

/** Files that are over sooner have no lines of their own: a log of ten thousand small files would hide what matters. */
const worthALineMs = 1000

/**
 * For logs: a line when a file has begun and one when it has ended, and every ten seconds one for the whole. What ended
 * badly is told elsewhere, at once.
 */
export function createPlainView(context: Context): View {
  const seen = new Map<number, { readonly name: string; readonly since: number; isTold: boolean }>()
  let lastWhole: number | undefined

  function tellFiles(files: readonly FileView[], now: number, isOnly: boolean): void {
    const active = files.filter(file => file.state !== 'waiting')
    for (const { id, name, size } of active) {
      const known = seen.get(id) ?? { name, since: now, isTold: false }
      seen.set(id, known)
      const isDue = (isOnly && size !== undefined) || now - known.since >= worthALineMs
      if (known.isTold || !isDue) continue
      known.isTold = true
      context.say(`begin ${printable(name)}, ${size === undefined ? 'size unknown' : formatSize(size)}`)
    }
    const present = new Set(active.map(({ id }) => id))
    for (const [id, { name, since, isTold }] of seen) {
      if (present.has(id)) continue
      seen.delete(id)
      // A single file's end is told with more detail by the command.
      if (isTold && !isOnly) context.say(`end   ${printable(name)}, ${formatDuration(now - since)}`)
    }
  }

  return {
    update(measure: Measure, now: number) {
      lastWhole ??= now
      const { files, total } = measure(now)
      const isOnly = total.files.isListed && total.files.listed <= 1
      tellFiles(files, now, isOnly)
      if (now - lastWhole >= everyMs) {
        lastWhole = now
        context.say(wholeLine(total))
      }
    },
    stop() {},
  }
}

/** `12.0 GiB of 40.0 GiB (30%), 4/10 files, 118 MiB/s, 4:02 left` */
export function wholeLine(total: TotalView): string {
  const { finished, listed, isListed, failed } = total.files
  const of = total.size === undefined ? '' : ` of ${formatSize(total.size)}`
  const percent = total.fraction === undefined ? '' : ` (${Math.floor(total.fraction * 100)}%)`
  const parts = [`${formatSize(total.landed)}${of}${percent}`]
  if (!isListed || listed > 1) parts.push(`${finished}/${listed}${isListed ? '' : '+'} files`)
  if (failed > 0) parts.push(`${failed} failed`)
  parts.push(formatRate(total.rate))
  if (total.etaMs !== undefined) parts.push(`${formatClock(total.etaMs)} left`)
  return parts.join(', ')
}
