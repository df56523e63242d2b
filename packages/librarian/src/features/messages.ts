/** What must be told to other librarians, told (reliability 8.14). */
import { createDelivery, type Delivery, type DeliveryOptions } from '../services/messages/delivery.ts'

export interface MessageFeature {
  readonly delivery: Delivery
  work(signal: AbortSignal): Promise<void>
}

export function createMessageFeature(options: DeliveryOptions): MessageFeature {
  const delivery = createDelivery(options)
  return { delivery, work: signal => delivery.work(signal) }
}
