package io.flagtally.pipeline;

import io.flagtally.event.EventId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.EventBatch;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A sink in memory whose writes the test lets through, one by one or all at once. */
final class RecordingSink implements BatchSink {

    private record Call(EventBatch batch, UniEmitter<? super BatchOutcome> reply) {}

    final List<Integer> writtenSizes = new ArrayList<>();
    final Set<EventId> poison = new HashSet<>();
    final Set<EventId> refused = new HashSet<>();
    private final Deque<Call> calls = new ArrayDeque<>();
    private boolean held;
    private boolean away;

    @Override
    public String name() {
        return "recording";
    }

    @Override
    public Uni<BatchOutcome> write(EventBatch batch) {
        return Uni.createFrom().emitter(reply -> {
            if (held) {
                calls.add(new Call(batch, reply));
            } else {
                answer(new Call(batch, reply));
            }
        });
    }

    /** Keeps writes unanswered until {@link #releaseOne()}. */
    void hold() {
        held = true;
    }

    void releaseOne() {
        answer(calls.remove());
    }

    int held() {
        return calls.size();
    }

    void setAway(boolean away) {
        this.away = away;
    }

    private void answer(Call call) {
        if (away) {
            call.reply.fail(new StoreUnavailableException("recording is away", null));
        } else if (call.batch.events().stream().anyMatch(event -> poison.contains(event.id()))) {
            call.reply.fail(new IllegalArgumentException("poison"));
        } else {
            List<RejectedEvent> rejected = call.batch.events().stream()
                    .filter(event -> refused.contains(event.id()))
                    .map(event -> new RejectedEvent(event, ErrorCode.COUNTER_UNUSABLE, "its counter is spoilt"))
                    .toList();
            writtenSizes.add(call.batch.size());
            call.reply.complete(new BatchOutcome(call.batch.size() - rejected.size(), 0, rejected));
        }
    }
}
