/**
 * What an answer to a GET means: the table of retrieval 8.1, pure. Both lanes ask it before any byte lands.
 *
 *     206 that starts where asked and is not wider    accept
 *     200 although a range was asked                  accept from 0; never at another offset
 *     416                                             empty, complete, or changed
 *     anything else                                   a redirect, a refusal, or a typed failure
 *
 * Every accepted answer agrees with what earlier answers said of the resource.
 */
import { TransferError } from '../errors.ts'
import { type Headers, listHeader, oneHeader } from '../integrity/headers.ts'
import type { Range, Resource } from '../resource.ts'
import { disagreement, type EtagPolicy } from './agreement.ts'
import type { AnswerHead } from './answer-head.ts'
import { parseContentRange, parseLength, parseUnsatisfiedRange } from './content-range.ts'
import { isRedirect } from './redirects.ts'
import { contentCoding, resourceFromHeaders } from './resource-from-headers.ts'
import { statusFailure } from './status-failure.ts'

/** What was asked, and what is known already. */
export interface Question {
  /** Redacted, for messages. */
  readonly uri: string
  /** The Range that was sent; undefined: none was. */
  readonly range: Range | undefined
  readonly expected: Resource | undefined
  /** The condition that was sent along. */
  readonly condition: 'if-range' | 'if-match' | undefined
  readonly etagPolicy: EtagPolicy
  /**
   * The coding that was asked for is the one things are stored in (retrieval 13.2). `decode`: an answer in it that
   * carries the whole will do, whatever its status. `keep`: the coded bytes are what is wanted, in parts as well.
   */
  readonly storedCoding?: 'decode' | 'keep' | undefined
  readonly warn?: ((warning: string) => void) | undefined
  /** Milliseconds since 1970. */
  now(): number
}

export type Framing = 'length' | 'chunked' | 'close'

/** Bytes of the resource follow. */
export interface Accepted {
  readonly is: 'accepted'
  readonly resource: Resource
  readonly start: number
  /** Undefined when only the end of the body will tell, or when the body is coded. */
  readonly end: number | undefined
  /** Bytes of the body as sent; undefined when its framing does not say. */
  readonly bodyLength: number | undefined
  readonly framing: Framing
}

export type Verdict =
  | Accepted
  /** Nothing is left to send: the resource is empty, or ends where the range starts. */
  | { readonly is: 'nothing'; readonly resource: Resource; readonly start: number }
  /** Ask once more, without the condition that this server takes wrongly or the range that it cannot serve. */
  | { readonly is: 'repeat'; readonly without: 'condition' | 'range' }
  | { readonly is: 'redirect'; readonly location: string | undefined }
  /** 401, 403, 407, and 400, by which stores say that a signature has expired: the body may say why. */
  | { readonly is: 'refused' }
  | { readonly is: 'failed'; readonly error: TransferError; readonly ignoresRange?: true }

export function judgeAnswer(head: AnswerHead, question: Question): Verdict {
  const { status } = head
  if (status === 206) return judgePartial(head, question)
  if (status === 200) return judgeWhole(head, question)
  if (status === 416) return judgeUnsatisfied(head, question)
  if (isRedirect(status)) return { is: 'redirect', location: oneHeader(head.headers, 'location') }
  if (status === 400 || status === 401 || status === 403 || status === 407) return { is: 'refused' }
  return { is: 'failed', error: statusFailure(head, question.uri, question.now()) }
}

function judgePartial({ headers }: AnswerHead, question: Question): Verdict {
  const { range, expected } = question
  if (!range) return broken(question, 206, 'answered with a part although none was asked for')
  const length = framedLength(headers)
  const carried = headers['content-range'] === undefined ? undefined : oneHeader(headers, 'content-range')
  const part = parseContentRange(carried)
  const coding = contentCoding(headers)
  const isWhole = part !== undefined && part.start === 0 && part.end === part.size
  if (coding !== undefined && isWhole && question.storedCoding === 'decode') return judgeWhole({ headers }, question)
  if (!part || (coding !== undefined && question.storedCoding !== 'keep')) {
    return withoutRange(question, 'cannot be read in parts')
  }
  const size = part.size ?? expected?.size
  // A part of something of unknown size cannot be told from the end of it.
  if (size === undefined) return withoutRange(question, 'does not tell the size of what it sends in parts')
  if (part.start !== range.start || part.end > range.end) {
    return broken(question, 206, `was asked for bytes ${show(range)} and answered with ${show(part)}`)
  }
  if (part.end > size) return broken(question, 206, `answered with bytes ${show(part)} of ${size}`)
  if (length === 'contradictory' || (length !== undefined && length !== part.end - part.start)) {
    return broken(question, 206, `announced a body that does not fit its range ${show(part)}`)
  }
  const hasWholeBody = part.start === 0 && part.end === size
  const resource = resourceFromHeaders(headers, { size, ranges: 'yes', hasWholeBody, warn: question.warn })
  const changed = expected && disagreement(expected, resource, question.etagPolicy, question.condition !== undefined)
  if (changed) return changedSince(question, changed)
  const framing = framingOf(headers, length)
  if (framing === 'unknown') return broken(question, 206, 'used a transfer coding other than chunked')
  return { is: 'accepted', resource, start: part.start, end: part.end, bodyLength: part.end - part.start, framing }
}

function judgeWhole({ headers }: Pick<AnswerHead, 'headers'>, question: Question): Verdict {
  const { range, expected, condition } = question
  const length = framedLength(headers)
  const framing = framingOf(headers, length)
  if (length === 'contradictory' || framing === 'unknown') return broken(question, 200, 'framed its body ambiguously')
  const isCoded = contentCoding(headers) !== undefined && question.storedCoding !== 'keep'
  const size = isCoded ? undefined : length
  const resource = resourceFromHeaders(headers, {
    size: size ?? (isCoded ? undefined : expected?.size),
    ranges: range || isCoded ? 'no' : 'unproven',
    hasWholeBody: true,
    warn: question.warn,
  })
  const changed = expected && disagreement(expected, resource, question.etagPolicy, false)
  if (changed) return changedSince(question, changed)
  // Nothing changed and yet the condition was taken as failed: some caches only understand dates.
  if (range && condition === 'if-range') return { is: 'repeat', without: 'condition' }
  if (range && range.start > 0) return rangeUnsupported(question, 'ignores ranges')
  return { is: 'accepted', resource, start: 0, end: resource.size, bodyLength: length ?? resource.size, framing }
}

function judgeUnsatisfied({ headers }: AnswerHead, question: Question): Verdict {
  const { range, expected, condition } = question
  if (!range) return broken(question, 416, 'found a range unsatisfiable although none was asked for')
  const size = parseUnsatisfiedRange(oneHeader(headers, 'content-range'))
  if (size === undefined) {
    if (range.start === 0 && (expected?.size ?? 0) === 0) return { is: 'repeat', without: 'range' }
    // Object stores tell no size here. If-Match is judged before the range (RFC 9110, 13.2.2): it is the same version.
    if (condition === 'if-match' && expected?.size === range.start) {
      const resource = resourceFromHeaders(headers, { size: expected.size, ranges: 'unproven', hasWholeBody: false })
      return { is: 'nothing', resource, start: range.start }
    }
    return changedSince(question, `it has no byte ${range.start} any more`)
  }
  const isEmpty = size === 0 && (expected?.size ?? 0) === 0
  const isComplete = size === range.start && (expected?.size ?? size) === size
  if (!isEmpty && !isComplete) return changedSince(question, `its size is ${size} now`)
  const resource = resourceFromHeaders(headers, { size, ranges: 'unproven', hasWholeBody: size === 0 })
  return { is: 'nothing', resource, start: isEmpty ? 0 : range.start }
}

/** Content-Length as a promise about the body: unknown under a transfer coding, contradictory when it says two things. */
function framedLength(headers: Headers): number | 'contradictory' | undefined {
  const value = headers['content-length']
  if (value === undefined) return undefined
  if (headers['transfer-encoding'] !== undefined) return 'contradictory'
  return (typeof value === 'string' ? parseLength(value) : undefined) ?? 'contradictory'
}

function framingOf(headers: Headers, length: number | 'contradictory' | undefined): Framing | 'unknown' {
  if (headers['transfer-encoding'] === undefined) return length === undefined ? 'close' : 'length'
  return listHeader(headers, 'transfer-encoding').join(',').toLowerCase() === 'chunked' ? 'chunked' : 'unknown'
}

/** Parts of this cannot be had: the whole as one stream, if the start was asked for. */
function withoutRange(question: Question, why: string): Verdict {
  return question.range?.start === 0 ? { is: 'repeat', without: 'range' } : rangeUnsupported(question, why)
}

function rangeUnsupported({ uri }: Question, why: string): Verdict {
  const error = new TransferError('RangeUnsupported', `Cannot fetch a part of ${uri}: the server ${why}`, { url: uri })
  return { is: 'failed', error, ignoresRange: true }
}

function changedSince({ uri }: Question, what: string): Verdict {
  return {
    is: 'failed',
    error: new TransferError('ResourceChanged', `Cannot go on with ${uri}: ${what}`, { url: uri }),
  }
}

function broken({ uri }: Question, status: number, what: string): Verdict {
  const error = new TransferError('Protocol', `Cannot trust the answer for ${uri}: the server ${what}`, {
    url: uri,
    status,
  })
  return { is: 'failed', error }
}

function show(range: Range): string {
  return `${range.start}-${range.end - 1}`
}
