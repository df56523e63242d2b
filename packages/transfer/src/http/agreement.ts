import type { Resource } from '../resource.ts'
import { isDateStrong } from './resource-from-headers.ts'

/** How entity tags that differ between the nodes of one site are taken (retrieval 12). */
export type EtagPolicy = 'strict' | 'size+mtime' | 'ignore-if-checksum'

/**
 * Why an answer cannot be of the version that earlier answers spoke of; undefined when nothing says so.
 *
 *     version ids   decide whenever both are known
 *     strong tags   decide alone
 *     weak tags     say "about the same": the dates must be equal too
 *     dates         decide when there are no tags
 *
 * `isProven`: the request's own condition (If-Range, If-Match) was honoured, so a missing validator is no reason.
 */
export function disagreement(
  expected: Resource,
  answer: Resource,
  policy: EtagPolicy,
  isProven: boolean,
): string | undefined {
  if (expected.size !== undefined && answer.size !== undefined && expected.size !== answer.size) {
    return `its size was ${expected.size} and is ${answer.size} now`
  }
  if (expected.version !== undefined && answer.version !== undefined) {
    return expected.version === answer.version ? undefined : 'its version id is another one now'
  }
  if (policy === 'ignore-if-checksum') return undefined
  if (policy === 'strict' && expected.etag) return tagDisagreement(expected, answer, isProven)
  return dateDisagreement(expected, answer)
}

function tagDisagreement(expected: Resource, answer: Resource, isProven: boolean): string | undefined {
  const { etag } = answer
  if (!etag) {
    if (isProven || (isDateStrong(expected) && expected.lastModified === answer.lastModified)) return undefined
    return 'this answer has no entity tag, earlier ones had'
  }
  if (etag.value !== expected.etag?.value) {
    return 'its entity tag is another one now (if the site’s nodes disagree: etagPolicy "size+mtime" or "ignore-if-checksum")'
  }
  return etag.isWeak || expected.etag.isWeak ? dateDisagreement(expected, answer) : undefined
}

function dateDisagreement(expected: Resource, answer: Resource): string | undefined {
  if (expected.lastModified === undefined || answer.lastModified === undefined) return undefined
  return expected.lastModified === answer.lastModified ? undefined : 'it was modified since'
}
