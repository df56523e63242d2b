/**
 * All names below a prefix, several pages at once where there are many.
 *
 *     range   names behind `from`, up to and with `until`; its pages follow each other, because each says where the next begins
 *     split   after some pages: what lies ahead is asked for by one level; directories that it names are where the rest is cut
 *
 * A cut falls between names, wherever they are: no directory costs a request of its own, and a range wastes at most a part
 * of its last page. Names in one long level cannot be cut; they come page by page.
 *
 * Names must come in order. A store that repeats a page, or loses its place, is found out.
 */
import { TransferError } from '../../errors.ts'
import { compareKeys } from './key-order.ts'
import type { ListedObject, ListPage } from './list-page.ts'
import type { Pages } from './list-pages.ts'

/** Pages asked for at once. */
const AT_ONCE = 8
/** Pages of a range before the first attempt to cut it. */
const PATIENCE = 2
/** Levels below the prefix that are looked at in one attempt. */
const LEVELS = 3

interface Span {
  /** The last name that was seen; only names behind it are still to come. */
  last: string | undefined
  until: string | undefined
  token: string | undefined
  pages: number
  /** Pages after which it is worth trying to cut. */
  tryAt: number
  isCutting: boolean
  isOver: boolean
}

type Step =
  | { readonly span: Span; readonly page: ListPage; readonly points?: undefined }
  | { readonly span: Span; readonly points: readonly string[]; readonly page?: undefined }

export interface FanOutOptions {
  readonly prefix: string
  readonly uri: string
  readonly signal: AbortSignal
  /** Default 8; 1: one page after the other. */
  readonly atOnce?: number | undefined
}

export async function* fanOut(
  pages: Pick<Pages, 'get'>,
  { prefix, uri, signal, atOnce = AT_ONCE }: FanOutOptions,
): AsyncGenerator<readonly ListedObject[], void, undefined> {
  const stop = new AbortController()
  const together = AbortSignal.any([signal, stop.signal])
  const steps = new Map<Span, Promise<Step>>()
  const cuts = new Map<Span, Promise<Step>>()

  const next = (span: Span) => {
    const question = { prefix, token: span.token, after: span.last }
    steps.set(span, expected(pages.get(question, together).then(page => ({ span, page }))))
  }
  const cut = (span: Span) => {
    span.isCutting = true
    cuts.set(span, expected(cutPoints(pages, prefix, span, together).then(points => ({ span, points }))))
  }
  const begin = (from: string | undefined, until: string | undefined) =>
    next({ last: from, until, token: undefined, pages: 0, tryAt: PATIENCE, isCutting: false, isOver: false })

  begin(undefined, undefined)
  try {
    while (steps.size > 0) {
      signal.throwIfAborted()
      const step = await Promise.race([...steps.values(), ...cuts.values()])
      const { span } = step
      if (step.points) {
        cuts.delete(span)
        span.isCutting = false
        const room = atOnce - steps.size
        const points = span.isOver ? [] : spread(usable(step.points, span), room)
        if (points.length === 0) span.tryAt = span.pages * 2
        const last = span.until
        if (points[0] !== undefined) span.until = points[0]
        for (const [index, from] of points.entries()) begin(from, points[index + 1] ?? last)
        continue
      }
      const objects = take(step.page, span, uri)
      if (span.isOver) steps.delete(span)
      else {
        next(span)
        if (span.pages >= span.tryAt && !span.isCutting && steps.size < atOnce) cut(span)
      }
      if (objects.length > 0) yield objects
    }
  } finally {
    stop.abort(new DOMException('The listing was left', 'AbortError'))
    await Promise.allSettled([...steps.values(), ...cuts.values()])
  }
}

/** Nobody may be waiting when it fails: the consumer takes its time. It is told when it asks for more. */
function expected<T>(step: Promise<T>): Promise<T> {
  step.catch(() => {})
  return step
}

/** The page's names that belong to the span, which moves on behind them. */
function take({ objects, isTruncated, token, marker }: ListPage, span: Span, uri: string): readonly ListedObject[] {
  span.pages++
  const from = span.last
  for (const { key } of objects) {
    if (span.last !== undefined && compareKeys(key, span.last) <= 0) throw outOfOrder(uri)
    span.last = key
  }
  const { until } = span
  const isBehind = until !== undefined && span.last !== undefined && compareKeys(span.last, until) > 0
  const wanted = isBehind ? objects.filter(({ key }) => compareKeys(key, until) <= 0) : objects
  span.isOver = isBehind || span.last === until || !isTruncated
  if (span.isOver) return wanted
  if (marker !== undefined && (span.last === undefined || compareKeys(marker, span.last) > 0)) span.last = marker
  if (token !== undefined && token === span.token) throw outOfOrder(uri)
  if (span.last === from && token === undefined) throw outOfOrder(uri)
  span.token = token
  return wanted
}

function outOfOrder(uri: string): TransferError {
  const what = `Cannot list ${uri}: the server repeats names, or names them out of order`
  return new TransferError('Protocol', what, { url: uri, retriable: false })
}

/** Where what lies ahead of a span could be cut: names of directories, in order. */
async function cutPoints(
  pages: Pick<Pages, 'get'>,
  prefix: string,
  { last = '' }: Span,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let directory = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  for (let level = 0; level < LEVELS; level++) {
    const question = { prefix: level === 0 ? prefix : directory, delimiter: '/', after: last } as const
    const { prefixes, objects } = await pages.get(question, signal)
    // A store that does not know where to begin would give every range the same names.
    if (objects.some(({ key }) => compareKeys(key, last) <= 0)) return []
    const points = prefixes.filter(point => compareKeys(point, last) > 0)
    if (points.length > 1) return points
    const slash = last.indexOf('/', directory.length)
    if (slash < 0) return points
    directory = last.slice(0, slash + 1)
  }
  return []
}

function usable(points: readonly string[], { last, until }: Span): readonly string[] {
  return points.filter(
    point =>
      (last === undefined || compareKeys(point, last) > 0) && (until === undefined || compareKeys(point, until) < 0),
  )
}

/** At most so many of them, evenly. */
function spread(points: readonly string[], most: number): readonly string[] {
  if (points.length <= most) return points
  return Array.from(
    { length: Math.max(0, most) },
    (_, index) => points[Math.floor((index * points.length) / most)] as string,
  )
}
