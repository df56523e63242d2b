/** Every stored byte is read again within the period (reliability C3). */
import type { Scrub } from '../services/scrub/scrub.ts'
import { roundResult } from './round-result.ts'
import { task } from './task.ts'

export function scrubTask(scrub: Pick<Scrub, 'scrub'>) {
  return task<'scrub'>({
    key: 'scrub',
    atOnce: 4,
    async run({ store_name: storeName, period: periodMs, bytes_per_second }, context) {
      const request = { storeName, periodMs, bytesPerSecond: bytes_per_second ?? undefined }
      return roundResult(storeName, await scrub.scrub(request, context))
    },
  })
}
