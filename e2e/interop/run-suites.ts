/** The contract suites against real servers: vitest runs them, and what it says of each test is told in our form. */
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Tell = (verdict: 'ok' | 'FAIL' | 'NOT RUN', name: string, why?: unknown) => void

export interface SuitesOptions {
  /** Suites whose file has this in its name; if there is none, tests with this in their names. */
  only: string
  /** A directory for the report. */
  scratch: string
}

/** Of vitest's JSON report, what is read here. */
interface Report {
  testResults: SuiteResult[]
}

interface SuiteResult {
  name: string
  status: 'passed' | 'failed'
  message: string
  assertionResults: TestResult[]
}

interface TestResult {
  fullName: string
  status: string
  failureMessages: string[]
}

const workspace = fileURLToPath(new URL('../..', import.meta.url))
const vitest = join(workspace, 'node_modules/vitest/vitest.mjs')
const config = join(workspace, 'e2e/interop/vitest.config.ts')
const ending = '.suite.ts'

export async function runSuites({ only, scratch }: SuitesOptions, tell: Tell): Promise<void> {
  const chosen = (await readdir(join(workspace, 'e2e/interop/suites'))).filter(
    file => file.endsWith(ending) && nameOf(file).includes(only),
  )
  const filter = chosen.length > 0 ? chosen.map(file => `suites/${file}`) : ['-t', literally(only)]
  const outputFile = join(scratch, 'suites.json')
  const { code, output } = await runVitest([...filter, `--outputFile.json=${outputFile}`])
  const report = await readReport(outputFile)
  if (!report) return tell('FAIL', 'suites', `vitest ended with ${code} and no report: ${lastOf(output)}`)
  let failed = 0
  const count: Tell = (verdict, ...told) => {
    if (verdict === 'FAIL') failed++
    tell(verdict, ...told)
  }
  for (const suite of report.testResults) tellSuite(suite, chosen.length > 0 ? '' : only, count, output)
  // Errors outside of tests are in no test's result.
  if (code !== 0 && failed === 0) tell('FAIL', 'suites', `vitest ended with ${code}: ${lastOf(output)}`)
}

function tellSuite(
  { name: path, status, message, assertionResults }: SuiteResult,
  only: string,
  tell: Tell,
  output: string,
) {
  const suite = nameOf(basename(path))
  const failures = assertionResults.filter(({ status }) => status === 'failed')
  for (const { fullName, status, failureMessages } of assertionResults) {
    const notRun = /^NOT RUN ([^:]*): (.*)$/s.exec(fullName)
    if (!fullName.includes(only)) continue
    if (status === 'passed') tell('ok', `${suite}: ${fullName}`)
    else if (status === 'failed') tell('FAIL', `${suite}: ${fullName}`, failureMessages.map(withoutStack).join(' '))
    else if (notRun) tell('NOT RUN', notRun[1] as string, notRun[2])
  }
  // A file that could not be read, or a server that did not start: no test is to blame.
  if (status === 'failed' && failures.length === 0) tell('FAIL', suite, message || lastOf(output))
}

function runVitest(options: string[]): Promise<{ code: number | string; output: string }> {
  const given = ['run', '--config', config, '--reporter=default', '--reporter=json', ...options]
  const child = spawn(process.execPath, [vitest, ...given], {
    cwd: workspace,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => child.kill()
  process.once('exit', end)
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | string; output: string }>()
  let output = ''
  const keep = (text: string) => {
    output += text
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  child.once('error', reject)
  child.once('close', (code, signal) => {
    process.removeListener('exit', end)
    resolve({ code: code ?? signal ?? 'nothing', output })
  })
  return promise
}

async function readReport(path: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}

function withoutStack(message: string): string {
  return message.replace(/\n\s+at .*/s, '')
}

function lastOf(output: string): string {
  return output.trim().slice(-2000)
}

function nameOf(file: string): string {
  return file.slice(0, -ending.length)
}

/** As a regular expression that matches this text. */
function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
