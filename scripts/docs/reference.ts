import { referencePages } from '../reference/pages.ts'
import type { Findings, ProjectFile } from './files.ts'

/** What a variable of the environment looks like where the program reads it. */
const read = /\benv(?:ironment)?\.([A-Z][A-Z0-9_]+)/g
/** Of the system, or read for others; nobody sets them for us. */
const common = new Set([
  'AWS_CONFIG_FILE',
  'AWS_SESSION_TOKEN',
  'HOME',
  'PATH',
  'TERM',
  'USER',
  'LOGNAME',
  'NODE_TLS_REJECT_UNAUTHORIZED',
])

/** Generated pages are what the program gives now, and every variable that it reads is on one of them. */
export async function checkReference(files: readonly ProjectFile[]): Promise<Findings> {
  const { pages, problems } = await referencePages()
  const stale = pages
    .filter(({ path, text }) => files.find(file => file.path === path)?.text !== text)
    .map(({ path }) => `${path}: this is not what the program says now; run npm run docs:reference`)
  const settings = pages.find(({ path }) => path.endsWith('settings.md'))?.text ?? ''
  const untold = variablesIn(files)
    .filter(name => !common.has(name) && !settings.includes(`\`${name}\``))
    .map(name => `scripts/reference/variables.ts: the variable ${name} is not told`)
  return { what: 'generated pages', count: pages.length, problems: [...problems, ...stale, ...untold] }
}

function variablesIn(files: readonly ProjectFile[]): string[] {
  const sources = files.filter(({ path }) => /^packages\/[^/]+\/src\/.*(?<!\.test)\.ts$/.test(path))
  return [...new Set(sources.flatMap(({ text }) => [...text.matchAll(read)].map(([, name]) => name!)))]
}
