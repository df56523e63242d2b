export type { Fault, GlobusAnswer, GlobusRequest, GlobusServer } from './globus-server/globus-server.ts'
export { startGlobusServer } from './globus-server/globus-server.ts'
export { fail, fault, type GlobusTask } from './globus-server/tasks.ts'
