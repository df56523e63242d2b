import { serverMessage } from '../http/refusal.ts'
import { printable, redactText } from '../redact.ts'
import type { ApiAnswer } from './api.ts'

const MOST_TEXT = 300

/** What a service says of an error, as one line: fence answers with web pages, also where data was asked for (gen3 2.2). */
export function answerText({ body }: Pick<ApiAnswer, 'body'>): string {
  const said = /<html|<!doctype|<body/i.test(body) ? pageText(body) : (serverMessage(body) ?? '')
  return printable(redactText(said).replace(/\s+/g, ' ').trim()).slice(0, MOST_TEXT)
}

function pageText(page: string): string {
  return page
    .replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (_, name: string) => ENTITIES[name] ?? ' ')
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' }
