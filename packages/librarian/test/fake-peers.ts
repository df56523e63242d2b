/** What other librarians would show, as a test says it. */
import type { PeerProofReport, PeerProofRequest, PeerProofs, ProvenCopy } from '../src/services/proofs/peer-proofs.ts'

export interface FakePeers extends PeerProofs {
  readonly asked: PeerProofRequest[]
  readonly released: ProvenCopy[]
  /** What the next ones are told; default: there is nobody. */
  answer: (request: PeerProofRequest) => Partial<PeerProofReport> | Promise<Partial<PeerProofReport>>
}

export function createFakePeers(): FakePeers {
  const asked: PeerProofRequest[] = []
  const released: ProvenCopy[] = []
  return {
    asked,
    released,
    answer: () => ({}),
    async ask(request) {
      asked.push(request)
      const said = await this.answer(request)
      const own = { instanceId: request.instanceId, state: 'ok' as const }
      return { own, proven: [], disagreeing: [], claimed: [], without: [], unreachable: [], ...said } as PeerProofReport
    },
    async release(copies) {
      released.push(...copies)
    },
  }
}

export function proven(librarian: string, storeId = 1): ProvenCopy {
  return { librarian, storeId, instanceId: 7, holdId: `hold of ${librarian}`, heldUntilMs: Number.POSITIVE_INFINITY }
}
