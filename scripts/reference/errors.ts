/** Every error by its code, as the engine's and the librarian's tables have them, and the exit codes of the program. */
import { errorTable as librarianTable } from '../../packages/api/src/errors.ts'
import { exitCodeOf, exitCodeOfLibrarian, exitCodes } from '../../packages/cli/src/exit-codes.ts'
import { errorTable as engineTable } from '../../packages/transfer/src/errors.ts'
import { engineMeanings, exitMeanings, librarianMeanings, reasons } from './error-meanings.ts'
import { blocks, code, plain, table } from './markdown.ts'
import type { ReferencePage } from './pages.ts'

interface Kind {
  readonly remedy: string
  readonly retriable: boolean
  readonly status?: number
}

const path = 'docs/manual/errors.md'

export function errorsPage(): ReferencePage {
  const problems: string[] = []
  const explain = (found: Readonly<Record<string, string>>, name: string) => {
    if (found[name] === undefined)
      problems.push(`${path}: scripts/reference/error-meanings.ts does not say what ${name} means`)
    return found[name] ?? ''
  }
  const rows = (
    kinds: Readonly<Record<string, Kind>>,
    meanings: Readonly<Record<string, string>>,
    exit: (c: string) => number,
  ) =>
    Object.entries(kinds).map(([name, { remedy, retriable, status }]) => [
      code(spelled(name)),
      ...(status === undefined ? [] : [code(name), String(status)]),
      explain(meanings, name),
      plain(remedy),
      retriable ? 'yes' : '',
      String(exit(name)),
    ])
  const text = blocks(
    '# Errors by their code',
    `A failure of one item is a line, \`arriero: what was tried, what must hold, what was met. What to do.\`; of several, each has a line that begins with
\`failed CODE\`. With \`--json\` the code is \`error.code\`, in reports of lists \`error_class\`. Here is what each means and what to do first. "Again" says
that the same command may succeed later; what can be tried again at once was tried already.`,
    '## Of fetching',
    table(['code', 'means', 'what to do', 'again', 'exit'], rows(engineTable, engineMeanings, exitCodeOf)),
    '## Finer words',
    'Where a report or the screen says more than the code:',
    table(
      ['word', 'means', 'what to do'],
      Object.entries(reasons).map(([word, [means, todo]]) => [code(word), means, todo]),
    ),
    '## Of a librarian',
    `The program spells the code as in the first column; the answer’s \`code\` is the second. \`reason\` and \`suggested_remedy\` of an answer say what
happened there. Some calls answer another status, where existing clients know that one.`,
    table(
      ['code', 'in answers', 'status', 'means', 'what to do', 'again', 'exit'],
      rows(librarianTable, librarianMeanings, exitCodeOfLibrarian),
    ),
    '## Exit codes',
    table(
      ['code', 'means', 'errors'],
      Object.entries(exitCodes).map(([name, number]) => [
        String(number),
        explain(exitMeanings, name),
        errorsOf(number),
      ]),
    ),
    `3 to 8 are for a single item; of several, 1 says that some have failed. SIGTERM gives 143. \`arriero doctor\` explains what it finds wrong with this
machine; [at four in the morning](operate.md#at-four-in-the-morning) lists what operators see.`,
  )
  return { path, text, problems }
}

/** As reports and the screen have it. */
function spelled(name: string): string {
  return name.replaceAll(/\B[A-Z]/g, '_$&').toLowerCase()
}

function errorsOf(exit: number): string {
  if (exit === exitCodes.someFailed) return ''
  const ofEngine = Object.keys(engineTable).filter(name => exitCodeOf(name) === exit)
  const ofLibrarian = Object.keys(librarianTable).filter(name => exitCodeOfLibrarian(name) === exit)
  return [...new Set([...ofEngine, ...ofLibrarian])].map(name => code(spelled(name))).join(', ')
}
