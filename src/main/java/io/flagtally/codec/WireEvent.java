package io.flagtally.codec;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.GoalId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.ErrorCode;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One event as it was read from the wire, which says what is wrong with it in the order of the wire contract: its type,
 * its id, its fields, its time. The age of the time is not judged here, for only the door knows when "now" was.
 */
public final class WireEvent {

    static final String PACKAGE = "bucketeer.event.client.";
    static final String TYPE_URL = "type.googleapis.com/" + PACKAGE;
    static final String EVALUATION = "EvaluationEvent";
    static final String GOAL = "GoalEvent";
    private static final String METRICS = "MetricsEvent";

    /** The end of the year 9999: a time beyond it is no time. */
    private static final long EPOCH_SECOND_MAX = 253_402_300_799L;

    private final String id;
    private final EventFields fields;

    WireEvent(String id, EventFields fields) {
        this.id = id;
        this.fields = fields;
    }

    /** The id as it was sent, empty if there was none. */
    public String id() {
        return id;
    }

    /** True if this is a measurement of an SDK, which {@link #metricsEvent} reads. */
    public boolean isMetrics() {
        return fields.type.equals(METRICS);
    }

    /**
     * Returns the event to be counted.
     *
     * @param defaultSource the SDK, if the event names none
     * @throws MalformedEventException with the first fault
     */
    public FlagEvent flagEvent(EnvironmentId environment, SourceId defaultSource) throws MalformedEventException {
        return switch (fields.type) {
            case EVALUATION -> evaluation(environment, source(defaultSource));
            case GOAL -> goal(environment, source(defaultSource));
            default -> throw unknownType();
        };
    }

    /** @throws MalformedEventException with the first fault */
    public MetricsEvent metricsEvent() throws MalformedEventException {
        if (!isMetrics()) {
            throw unknownType();
        }
        EventId eventId = eventId();
        EventFields.MetricsFields metrics = fields.metrics;
        require(metrics.latencySeconds >= 0, "latency_second");
        require(metrics.sizeBytes >= 0, "size_byte");
        return new MetricsEvent(
                eventId, metrics.type, metrics.api, metrics.latencySeconds, metrics.sizeBytes, time(), fields.source);
    }

    private EvaluationEvent evaluation(EnvironmentId environment, SourceId source) throws MalformedEventException {
        EventId eventId = eventId();
        FlagId flag = new FlagId(text(fields.feature, "feature_id"));
        boolean servesDefault = fields.reason != null && fields.reason.servesDefault();
        VariationId variation = servesDefault && fields.variation.isMissing()
                ? VariationId.DEFAULT
                : new VariationId(text(fields.variation, "variation_id"));
        UserId user = user();
        Reason reason = reason();
        int version = flagVersion();
        return new EvaluationEvent(eventId, environment, flag, version, variation, user, reason, time(), source);
    }

    private GoalEvent goal(EnvironmentId environment, SourceId source) throws MalformedEventException {
        EventId eventId = eventId();
        GoalId goal = new GoalId(text(fields.goal, "goal_id"));
        UserId user = user();
        require(!Double.isNaN(fields.value), "value");
        return new GoalEvent(eventId, environment, goal, fields.value, user, time(), source);
    }

    private EventId eventId() throws MalformedEventException {
        EventId parsed = EventId.parse(id);
        if (parsed == null) {
            throw fault(ErrorCode.EVENT_ID_INVALID, "gateway: invalid event id format");
        }
        return parsed;
    }

    private UserId user() throws MalformedEventException {
        return new UserId(text(fields.user.isMissing() ? fields.nestedUser : fields.user, "user_id"));
    }

    private Reason reason() throws MalformedEventException {
        if (!fields.reasonPresent) {
            throw fault(ErrorCode.EVENT_FIELD_EMPTY, "gateway: reason is nil");
        }
        Reason reason = fields.reason;
        if (reason == null) {
            throw invalid("reason");
        }
        return reason;
    }

    private int flagVersion() throws MalformedEventException {
        Long version = fields.featureVersion;
        if (version == null || version < 0 || version > Integer.MAX_VALUE) {
            throw invalid("feature_version");
        }
        return version.intValue();
    }

    private Instant time() throws MalformedEventException {
        Long seconds = fields.timestamp;
        if (seconds == null || seconds <= 0 || seconds > EPOCH_SECOND_MAX) {
            throw fault(ErrorCode.EVENT_TIME_INVALID, "gateway: invalid event timestamp");
        }
        return Instant.ofEpochSecond(seconds);
    }

    private SourceId source(SourceId defaultSource) {
        @Nullable SourceId own = fields.source;
        return own == null ? defaultSource : own;
    }

    private String text(TextField field, String name) throws MalformedEventException {
        if (field.fault() == null) {
            return field.text();
        }
        throw switch (field.fault()) {
            case EMPTY -> fault(ErrorCode.EVENT_FIELD_EMPTY, "gateway: " + name + " is empty");
            case TOO_LONG -> fault(ErrorCode.EVENT_FIELD_TOO_LONG, "gateway: " + name + " is too long");
            case INVALID -> invalid(name);
        };
    }

    private void require(boolean valid, String name) throws MalformedEventException {
        if (!valid) {
            throw invalid(name);
        }
    }

    private MalformedEventException invalid(String name) {
        return fault(ErrorCode.EVENT_FIELD_INVALID, "gateway: " + name + " is invalid");
    }

    private MalformedEventException unknownType() {
        return fault(ErrorCode.EVENT_TYPE_UNKNOWN, "Invalid message type");
    }

    private MalformedEventException fault(ErrorCode code, String message) {
        return new MalformedEventException(id, code, message);
    }
}
