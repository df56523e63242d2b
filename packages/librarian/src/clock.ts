/** Time as a collaborator, so that tests need not wait. No decision that could lose data rests on it (reliability E4). */
export { type Clock, systemClock } from '@arriero/transfer'
