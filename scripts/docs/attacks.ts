import { type Findings, lineOf, type ProjectFile } from './files.ts'

const page = 'docs/attacks.md'
/** `attack('names', …)`, on one line or several. */
const cases = /\battack\(\s*'([^']+)'/g
/** A file, and the title of a test in it where the file is not all about the row. */
const cited = /`([\w./-]+\.(?:test|suite)\.ts)`(?: "([^"]+)")?/g

interface Row {
  readonly id: string
  readonly line: number
  /** The cell that says where it is tested. */
  readonly tests: string
}

/**
 * Every row of the attack matrix names tests that are there, or says why it has none here; every case of a test belongs to a
 * row.
 */
export function checkAttacks(files: readonly ProjectFile[]): Findings {
  const text = files.find(({ path }) => path === page)?.text ?? ''
  const rows = rowsOf(text)
  const known = new Set(rows.map(({ id }) => id))
  const stray = files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap(file => [...file.text.matchAll(cases)].map(match => ({ file, match, id: match[1]! })))
    .filter(({ id }) => !known.has(id))
    .map(({ file, match, id }) => `${file.path}:${lineOf(file.text, match.index)}: ${page} has no row "${id}"`)
  const problems = rows.flatMap(row => problemsOf(row, files).map(problem => `${page}:${row.line}: ${problem}`))
  return { what: 'attacks', count: rows.length, problems: [...problems, ...stray] }
}

/** Of a table whose first cell is bold, without its escapes. */
function rowsOf(text: string): Row[] {
  return [...text.matchAll(/^\| \*\*([^*]+)\*\* +\|.*\| (.*?) +\|$/gm)].map(match => ({
    id: match[1]!,
    line: lineOf(text, match.index),
    tests: match[2]!,
  }))
}

function problemsOf({ id, tests }: Row, files: readonly ProjectFile[]): string[] {
  const named = [...tests.matchAll(cited)]
  if (named.length === 0 && !/^not here: \w/.test(tests)) return [`"${id}" names no test, and no reason for that`]
  return named.flatMap(([, path, title]) => {
    const file = files.find(file => file.path === path)
    if (!file) return [`"${id}": there is no ${path}`]
    if (title === undefined && !new RegExp(`\\battack\\(\\s*'${id}'`).test(file.text))
      return [`"${id}" has no case in ${path}`]
    return title === undefined || file.text.includes(title) ? [] : [`"${id}": ${path} has no test "${title}"`]
  })
}
