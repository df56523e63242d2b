/** Notices as existing channels have them: five lines, from the site, with its icon (librarian 16). */
import type { Notice } from './notices.ts'
import { type LogRecord, placeOf, textOf } from './record.ts'

/** @param username who posts */
export function slackForm(username: string): (notice: Notice) => object {
  return ({ records, count, lost }) => {
    const text = records.length > 1 ? summaryOf(records, count) : messageOf(records[0]!, count)
    const more = lost > 0 ? `\n(${lost} more were not sent)` : ''
    return { username, icon_emoji: ':ledger:', text: `${text}${more}` }
  }
}

/** Level, part of the server, where, message, time. */
function messageOf(record: LogRecord, count: number): string {
  const { level, time = '', caller = 'server' } = record
  const again = count > 1 ? ` (${count} times)` : ''
  const when = time.replace('T', ' ').replace(/Z$/, '')
  return [level.toUpperCase(), caller, placeOf(record), `${textOf(record)}${again}`, when].map(harmless).join('\n')
}

function summaryOf(records: readonly LogRecord[], count: number): string {
  const lines = records.map(record => `${record.level.toUpperCase()} ${harmless(textOf(record))}`)
  return [`${count} messages at once, among them:`, ...lines].join('\n')
}

/** Slack reads `<!channel>` and links; a name of a file must call nobody. */
function harmless(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return escaped.replaceAll('\n', ' ').slice(0, 2000)
}
