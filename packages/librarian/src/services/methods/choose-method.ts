/** Which of the offered ways a sender of ours takes. */
import type { AsyncProviders } from '@arriero/api'
import type { Method, MethodName, MethodState } from '@arriero/transfer'
import { readProvider } from './provider.ts'

/** What it takes to be chosen. */
type Way = Pick<Method, 'name' | 'whyNot'>

export type Choice<W extends Way = Method> =
  | { readonly method: W; readonly state: MethodState }
  /** For people: why none of them can be used. */
  | { readonly whyNot: string }

/**
 * The first that is valid here, as the receiver orders them. That it fetches by itself comes last wherever it stands: the
 * others leave the work where the sender can see it, and Globus crosses oceans better.
 */
export function chooseMethod<W extends Way>(offered: AsyncProviders, methods: ReadonlyMap<MethodName, W>): Choice<W> {
  const read = Object.entries(offered).map(([key, provider]) => ({ key, known: readProvider(provider) }))
  const reasons: string[] = []
  for (const { key, known } of [...read.filter(isNotPull), ...read.filter(entry => !isNotPull(entry))]) {
    const method = known && methods.get(known.name)
    const whyNot = !known
      ? 'it is of no kind that is known here'
      : method
        ? method.whyNot(known.state)
        : 'it is not set up here'
    if (method && whyNot === undefined) return { method, state: known!.state }
    reasons.push(`${key}: ${whyNot}`)
  }
  return { whyNot: reasons.length > 0 ? reasons.join('; ') : 'the receiver offers none' }
}

function isNotPull({ known }: { readonly known: ReturnType<typeof readProvider> }): boolean {
  return known?.name !== 'http'
}
