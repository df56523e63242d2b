import { define, listEach, pipeline } from '@arriero/transfer'
import type { mean } from './mean.ts'

export default define({
  about: 'Mean temperature of each day.',
  options: {
    from: { about: 'directory or bucket with a CSV file for each day', default: 'readings' },
    to: { about: 'where the means go, a line of JSON for each day', default: 'means.jsonl' },
  },
  make: ({ from, to }) =>
    pipeline(() => listEach(`${from}/*.csv`))
      .fetch()
      .map<typeof mean>(new URL('./mean.ts', import.meta.url), 'mean', { timeoutMs: 60_000 })
      .append(to, { ordered: true }),
})
