import { type Findings, isSource, lineOf, type ProjectFile } from './files.ts'

/** Pages whose headings begin with the number that is cited. */
const pages = {
  design: 'docs/design.md',
  retrieval: 'docs/requirements.md',
  gen3: 'docs/requirements.md',
  librarian: 'docs/requirements.md',
  reliability: 'docs/requirements.md',
}
const cited =
  /\b(design|retrieval|gen3|librarian|reliability) ((?:[A-G]\d?|\d+(?:\.\d+)?)(?:, (?:[A-G]\d?|\d+(?:\.\d+)?))*)/g

/** Comments cite requirements and the design by number: each number leads to a heading. */
export function checkCitations(files: readonly ProjectFile[]): Findings {
  const known = new Map(Object.entries(pages).map(([word, path]) => [word, numbersOf(word, path, files)]))
  const problems: string[] = []
  let count = 0
  for (const file of files.filter(isSource)) {
    for (const match of file.text.matchAll(cited)) {
      const [, word = '', numbers = ''] = match
      for (const number of numbers.split(', ')) {
        count++
        // "retrieval 12, D1" cites a promise too.
        const isKnown = known.get(word)?.has(number) || known.get('reliability')?.has(number)
        if (!isKnown) problems.push(`${file.path}:${lineOf(file.text, match.index)}: there is no ${word} ${number}`)
      }
    }
  }
  return { what: 'citations', count, problems }
}

/** Numbers of headings, and of the bold ids of promises. */
function numbersOf(word: string, path: string, files: readonly ProjectFile[]): Set<string> {
  const text = files.find(file => file.path === path)?.text ?? ''
  const own = word === 'design' ? text : (new RegExp(`^## ${word}[^]*?(?=^## |$(?![^]))`, 'im').exec(text)?.[0] ?? '')
  const headings = own.matchAll(/^#{2,4} (?:[Rr]e\w+ )?([A-G]|\d+(?:\.\d+)?)(?=[. ])/gm)
  const promises = own.matchAll(/\*\*([A-G]\d)\*\*/g)
  return new Set([...headings, ...promises].map(([, number]) => number!))
}
