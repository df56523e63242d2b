import { type Language, phrases } from './phrases.ts'
import type { Random } from './random.ts'

const WIDTH = 72

/** Lines of a book in a language, of about so many characters: chapters, paragraphs, blank lines between them. */
export function prose(random: Random, language: Language, length: number): string[] {
  const lines = ['']
  for (let count = 0, chapter = 0; count < length; ) {
    const isNew = chapter === 0 || random.below(12) === 0
    if (isNew) lines.push('', `${phrases[language].chapter} ${++chapter}.`, '')
    const paragraph = wrapped(Array.from({ length: 2 + random.below(7) }, () => sentence(random, language)).join(' '))
    lines.push(...paragraph, '')
    count += paragraph.reduce((sum, line) => sum + line.length + 2, 2)
  }
  return lines
}

/** What ISO-8859-1 can write, for books that are in it. */
export function plainPunctuation(line: string): string {
  return line.replaceAll('’', "'").replaceAll('—', '--')
}

function sentence(random: Random, language: Language): string {
  const { who, did, what, where } = phrases[language]
  const first = [who, did, what].map(random.pick).join(' ')
  const rest = random.below(3) === 0 ? `; ${[who, did, what, where].map(random.pick).join(' ')}` : ''
  const whole = `${random.below(4) === 0 ? `${random.pick(where)}, ` : ''}${first}${rest}`
  return whole.charAt(0).toUpperCase() + whole.slice(1) + random.pick(['.', '.', '.', '!', '?'])
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
