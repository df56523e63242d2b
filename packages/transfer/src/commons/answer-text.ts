import { serverMessage } from '../http/refusal.ts'
import { printable, redactText } from '../redact.ts'
import type { ApiAnswer } from './api.ts'

const MOST_TEXT = 300
/** Longer ones are no explanations; and looking for ends of elements takes its time. */
const MOST_PAGE = 16 << 10

/** What a service says of an error, as one line: fence answers with web pages, also where data was asked for (gen3 2.2). */
export function answerText({ status, body }: Pick<ApiAnswer, 'status' | 'body'>): string {
  const said = /<html|<!doctype|<body/i.test(body) ? pageText(body) : (serverMessage(body) ?? '')
  const line = printable(redactText(said).replace(/\s+/g, ' ').trim())
  return withoutStatus(line, status).slice(0, MOST_TEXT)
}

/** Whoever shows the text has told the status already. */
function withoutStatus(line: string, status: number): string {
  return line.replace(new RegExp(`^${status}(?!\\w)[\\s:.-]*`), '')
}

/** What a page says, without its ornaments and the ways out of it. */
function pageText(page: string): string {
  return page
    .slice(0, MOST_PAGE)
    .replace(/<(style|script|head|nav|a|button)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (_, name: string) => ENTITIES[name] ?? ' ')
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' }
