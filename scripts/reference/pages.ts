import { commandsPage } from './commands.ts'
import { errorsPage } from './errors.ts'
import { settingsPage } from './settings.ts'

/** A page that is made from the program, and what the program has that the page cannot explain. */
export interface ReferencePage {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
  readonly problems: readonly string[]
}

/** What stands at the head of each: below the first heading it would be in the reader's way. */
const note = '<!-- Made by `npm run docs:reference` from the program. Change it there. -->\n\n'

export async function referencePages(): Promise<{ pages: readonly ReferencePage[]; problems: readonly string[] }> {
  const made = [await commandsPage(), settingsPage(), errorsPage()]
  return {
    pages: made.map(page => ({ ...page, text: note + page.text })),
    problems: made.flatMap(({ problems }) => problems),
  }
}
