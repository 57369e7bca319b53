package io.flagtally.ingest;

import io.quarkus.smallrye.openapi.OpenApiFilter;
import jakarta.enterprise.inject.spi.CDI;
import java.time.InstantSource;
import java.util.UUID;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.Operation;

/** Shows in OpenAPI a body that {@code /register_events} takes at the time of asking: an id of its own, and now. */
@OpenApiFilter(stages = OpenApiFilter.RunStage.RUNTIME_PER_REQUEST)
public class EventExample implements OASFilter {

    @Override
    public Operation filterOperation(Operation operation) {
        if (RegisterEventsResource.OPERATION.equals(operation.getOperationId())) {
            operation.getRequestBody().getContent().getMediaTypes().values().forEach(body -> body.setExample(body()));
        }
        return operation;
    }

    private static String body() {
        InstantSource clock = CDI.current().select(InstantSource.class).get();
        return """
                {"events":[{"id":"%s","event":{"@type":"type.googleapis.com/bucketeer.event.client.EvaluationEvent",\
                "timestamp":%d,"sourceId":"WEB","featureId":"new-checkout","featureVersion":1,"variationId":"on",\
                "userId":"user-1","user":{"id":"user-1","data":{}},"reason":{"type":"DEFAULT"},"tag":"web"}}]}""".formatted(UUID.randomUUID(), clock.instant().getEpochSecond());
    }
}
