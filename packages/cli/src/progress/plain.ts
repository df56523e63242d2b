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
  const seen = new Map<string, { readonly since: number; isTold: boolean }>()
  let lastWhole: number | undefined

  function tellFiles(files: readonly FileView[], now: number, isOnly: boolean): void {
    const present = new Set<string>()
    for (const file of files) {
      if (file.state === 'waiting') continue
      present.add(file.name)
      const known = seen.get(file.name) ?? { since: now, isTold: false }
      seen.set(file.name, known)
      if (known.isTold || (!isOnly && now - known.since < worthALineMs)) continue
      known.isTold = true
      const size = file.size === undefined ? 'size unknown' : formatSize(file.size)
      context.say(`begin ${printable(file.name)}, ${size}`)
    }
    for (const [name, { since, isTold }] of seen) {
      if (present.has(name)) continue
      seen.delete(name)
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
