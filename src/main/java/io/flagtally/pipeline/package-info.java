/**
 * Channel → batch → sinks → ack.
 *
 * <p><b>Owns</b> the consumer of the channel {@code events}, batching, retries, dead letters, and the ports {@link io.flagtally.pipeline.BatchSink} and {@link io.flagtally.pipeline.DeadLetters}.
 *
 * <p><b>Does not own</b> which broker feeds the channel, and what a sink does with a batch.
 *
 * <p><b>Invariants</b>: a message is acknowledged when every sink has written its events and every event at fault was put aside; what is in flight is bounded.
 */
@NullMarked
package io.flagtally.pipeline;

import org.jspecify.annotations.NullMarked;
