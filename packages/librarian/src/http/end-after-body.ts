import type { ServerResponse } from 'node:http'

/** How long, and how much, is read of a body that nobody wants. */
const LONGEST_MS = 1000
const MOST = 4 << 20

/**
 * Ends an answer that came before the request's body had ended. The connection cannot be used again, because what is left of
 * the body would be read as the next request; but closing it at once would reset it, and a sender that is still sending would
 * never see the answer. So the answer goes first, then a little of the body is thrown away, then the connection ends.
 */
export function endAfterBody(response: ServerResponse, text: string): void {
  const request = response.req
  if (request.complete || request.destroyed || request.headers.expect !== undefined) {
    response.end(text)
    return
  }
  let left = MOST
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, LONGEST_MS)
  response.write(text)
  request.on('data', (piece: Buffer) => {
    left -= piece.length
    if (left < 0) end()
  })
  request.once('end', end)
  request.once('error', end)
  request.resume()
}
