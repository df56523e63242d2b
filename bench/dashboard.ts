/** `npm run bench -- dashboard`: what people who look wait for, and what their looking costs the server. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Spread, spread } from '../packages/cli/src/bench/stats.ts'
import type { DashboardCase } from './dashboard/case.ts'
import { benchFirstView } from './dashboard/first-view.ts'
import { benchMetrics } from './dashboard/metrics.ts'
import { benchOpenDashboards } from './dashboard/open-dashboards.ts'
import { benchSearch } from './dashboard/search.ts'
import { engines, withSite } from './dashboard/site.ts'
import { type Figure, show } from './librarian/case.ts'
import { machine } from './machine.ts'

/** In the order in which they run: the last ones add files. */
const cases: Readonly<Record<string, DashboardCase>> = {
  'first-view': benchFirstView,
  search: benchSearch,
  metrics: benchMetrics,
  'open-dashboards': benchOpenDashboards,
}

const usage = `usage: npm run bench -- dashboard [options]

  --only CASE,…     of ${Object.keys(cases).join(', ')}
  --engines E,…     of ${engines.join(', ')}; each gets a librarian of its own, filled first
  --rows N          files in its catalogue (1,000,000)
  --rounds N        (3)
  --seconds S       of each look at the server's CPU (60)
  --dashboards N    open at once (200)
  --browser FILE    Chromium (/usr/bin/chromium)
  --dir DIR         catalogues, stores and profiles of the browser (bench/out)
  --out FILE        the figures, as JSON`

export async function benchDashboard(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: Object.keys(cases).join() },
      engines: { type: 'string', default: engines.join() },
      rows: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '60' },
      dashboards: { type: 'string', default: '200' },
      browser: { type: 'string', default: '/usr/bin/chromium' },
      dir: { type: 'string', default: new URL('./out', import.meta.url).pathname },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const wanted = chosen('case', values.only, Object.keys(cases))
  const rows = Number(values.rows)
  await mkdir(values.dir, { recursive: true })
  const directory = await mkdtemp(join(values.dir, 'dashboard-'))
  const options = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    dashboards: Number(values.dashboards),
    browser: values.browser,
    directory,
  }
  const results: Record<string, (Figure & Spread)[]> = {}
  try {
    for (const engine of chosen('engine', values.engines, engines)) {
      await withSite({ engine, rows, directory }, async site => {
        for (const [name, bench] of Object.entries(cases).filter(([each]) => wanted.includes(each))) {
          const title = `${name}, ${engine}, ${rows} files`
          console.log(title)
          const figures = await bench(site, options)
          for (const figure of figures) console.log(show(figure))
          results[title] = figures.map(each => ({ ...each, ...spread(each.values) }))
        }
      })
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  if (values.out) {
    const { directory: _, ...told } = options
    const report = { at: new Date().toISOString(), machine: machine(), options: { rows, ...told }, cases: results }
    await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`)
  }
  return 0
}

function chosen<Name extends string>(what: string, text: string, known: readonly Name[]): Name[] {
  return text.split(',').map(name => {
    const found = known.find(each => each === name)
    if (found === undefined) throw new Error(`there is no ${what} ${name}; there are ${known.join(', ')}`)
    return found
  })
}
