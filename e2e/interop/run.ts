/**
 * `npm run test:interop [-- --only TEXT] [--strict]`: the built program, and the contract suites of `suites/`, against
 * real servers from Debian's packages.
 *
 * Prints `ok NAME`, `FAIL NAME: why` or `NOT RUN NAME: why` for each check. Exits 1 if one failed; with `--strict`,
 * also if one was not run. `--only` takes part of a check's name, or of a suite's file.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findNginx, startNginx } from '../servers/nginx.ts'
import { movePrivate } from '../test-run/private-place.ts'
import { type Check, NotRun } from './check.ts'
import { catChecks } from './nginx-cat.ts'
import { errorChecks } from './nginx-errors.ts'
import { fetchChecks } from './nginx-fetch.ts'
import { nameChecks } from './nginx-names.ts'
import { resumeChecks } from './nginx-resume.ts'
import { runSuites } from './run-suites.ts'
import { dispositionLocations, makeServedFiles } from './served-files.ts'

const nginxChecks = [...fetchChecks, ...catChecks, ...resumeChecks, ...errorChecks, ...nameChecks]
/** Slow enough that a program can be interrupted half way through 48 MiB. */
const cappedBytesPerSecond = 4_000_000

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, strict: { type: 'boolean', default: false } },
})
const tally = { passed: 0, failed: 0, notRun: 0 }
const place = movePrivate('arriero-')
process.once('exit', () => place.remove())
const scratch = join(place.path, 'scratch')
await mkdir(scratch)
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
await runNginxChecks(nginxChecks.filter(({ name }) => name.includes(values.only)))
await runSuites({ only: values.only, scratch }, report)
const left = place.leftOver().filter(name => name !== 'scratch')
report(left.length === 0 ? 'ok' : 'FAIL', 'nothing is left behind', left.length === 0 ? undefined : left.join(', '))
const notRun = tally.notRun > 0 ? `, ${tally.notRun} not run` : ''
console.log(`${tally.passed} passed, ${tally.failed} failed${notRun}`)
process.exitCode = tally.failed > 0 || (values.strict && tally.notRun > 0) ? 1 : 0

async function runNginxChecks(checks: Check[]): Promise<void> {
  if (checks.length === 0) return
  if (!findNginx()) {
    for (const { name } of checks) report('NOT RUN', name, 'nginx is not installed; run scripts/install-servers.sh')
    return
  }
  const root = join(scratch, 'root')
  await mkdir(root)
  await makeServedFiles(root)
  await using nginx = await startNginx({
    root,
    perConnectionRate: cappedBytesPerSecond,
    isLogged: true,
    locations: dispositionLocations,
  })
  for (const [index, check] of checks.entries()) {
    const directory = join(scratch, `check-${index}`)
    await mkdir(directory)
    try {
      await check.run({ nginx, root, directory })
      report('ok', check.name)
    } catch (error) {
      report(error instanceof NotRun ? 'NOT RUN' : 'FAIL', check.name, error)
    }
    await rm(directory, { recursive: true, force: true })
  }
}

function report(verdict: 'ok' | 'FAIL' | 'NOT RUN', name: string, why?: unknown): void {
  if (verdict === 'ok') tally.passed++
  else if (verdict === 'FAIL') tally.failed++
  else tally.notRun++
  const reason = why instanceof Error ? why.message : why
  console.log(
    reason === undefined ? `${verdict} ${name}` : `${verdict} ${name}: ${String(reason).replaceAll('\n', ' ')}`,
  )
}
