import { lineOf, type ProjectFile } from './files.ts'

export interface CodeBlock {
  readonly path: string
  /** Of its first line of code. */
  readonly line: number
  readonly language: string
  readonly code: string
}

/** Fenced blocks of a text, also those of lists and quotations. */
export function codeBlocksOf({ path, text }: ProjectFile): CodeBlock[] {
  return [...text.matchAll(/^([ \t]*)```(\w+)\n([\s\S]*?)^\1```/gm)].map(
    ({ index, 1: margin = '', 2: language = '', 3: code = '' }) => ({
      path,
      line: lineOf(text, index) + 1,
      language,
      code: code.replaceAll(/^.*$/gm, row => (row.startsWith(margin) ? row.slice(margin.length) : row)),
    }),
  )
}

/** What is typed in a block of `sh` or `console`; in the second one, what is printed is left out, and its lines stay. */
export function typedIn({ language, code }: CodeBlock): string | undefined {
  if (language === 'sh') return code
  if (language !== 'console') return undefined
  return code
    .split('\n')
    .map(line => (line.startsWith('$ ') ? line.slice(2) : ''))
    .join('\n')
}
