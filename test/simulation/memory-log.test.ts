import { eventLogContract } from '../contract/event-log.ts';
import { Broker } from './memory-log.ts';

eventLogContract('memory', { cleans: false, settleMs: 10_000 }, async () => {
  const broker = new Broker();
  const [log, other] = [broker.connect(), broker.connect()];
  return {
    log,
    other,
    close: async () => {
      await Promise.all([log.close(), other.close()]);
    },
  };
});
