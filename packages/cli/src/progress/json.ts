import type { Context } from '../context.ts'
import { jsonLine } from '../text.ts'
import type { View } from './view.ts'

const everyMs = 500

/** One JSON object per line on stderr, twice a second: for programs that show progress themselves. */
export function createJsonView(context: Context): View {
  let last = Number.NEGATIVE_INFINITY
  return {
    update(measure, now) {
      if (now - last < everyMs) return
      last = now
      const { files, total } = measure(now)
      const active = files.filter(file => file.state !== 'waiting')
      context.say(jsonLine({ event: 'progress', ...total, active }))
    },
    stop() {},
  }
}
