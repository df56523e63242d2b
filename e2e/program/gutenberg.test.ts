import { startFtpServer } from '../../packages/transfer/test/ftp-server/ftp-server.ts'
import { readTree } from '../../packages/transfer/test/ftp-server/read-tree.ts'
import { describeGutenberg } from '../gutenberg-suite.ts'

async function serve(root: string, behaviour: Parameters<typeof startFtpServer>[0] = {}) {
  const server = await startFtpServer(behaviour)
  await readTree(server.tree, root)
  return {
    origin: server.origin,
    peak: () => server.connections.peak,
    count: server.count,
    put: async (path: string, content: Uint8Array, time: number) => void server.tree.put(`/${path}`, content, time),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describeGutenberg('the Gutenberg example', { serve })

describeGutenberg('the Gutenberg example, a server that lists paths and cuts off every fifth transfer', {
  isCutting: true,
  serve: root =>
    serve(root, {
      features: undefined,
      lists: ['NLST'],
      hasNamePaths: true,
      onTransfer: ({ verb, index }) => (verb === 'RETR' && index % 5 === 0 ? { cutAfter: 1000 } : undefined),
    }),
})
