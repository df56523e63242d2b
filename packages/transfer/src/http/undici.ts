/**
 * The two parts of undici that the general lane needs. Its door also loads fetch, WebSocket, EventSource and caches: that
 * would double the time and the memory that a small download takes. The version is pinned, and every test of the lane
 * runs through here.
 */
import { createRequire } from 'node:module'
import type { Agent as AgentClass, EnvHttpProxyAgent as EnvHttpProxyAgentClass } from 'undici'

const load = createRequire(import.meta.url)

export const Agent = load('undici/lib/dispatcher/agent.js') as typeof AgentClass

/** Proxies are rare: loaded only when the environment asks for one. */
export function loadEnvHttpProxyAgent(): typeof EnvHttpProxyAgentClass {
  return load('undici/lib/dispatcher/env-http-proxy-agent.js')
}
