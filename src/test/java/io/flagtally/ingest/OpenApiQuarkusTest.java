package io.flagtally.ingest;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the service says of itself is enough to write a client from, and to try each door. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class OpenApiQuarkusTest {

    /** Those that need no key, or have it in the query. */
    private static final Set<String> WITHOUT_HEADER = Set.of("ping", "track");

    @Test
    void operations_all_haveANameAKeyAndAnAnswer() throws Exception {
        Set<String> names = new HashSet<>();
        operations(document()).forEach(operation -> {
            String name = operation.path("operationId").asText();
            assertFalse(name.isEmpty(), operation::toPrettyString);
            assertTrue(names.add(name), () -> name + " is there twice");
            assertFalse(operation.path("summary").asText().isEmpty(), name);
            assertEquals(
                    WITHOUT_HEADER.contains(name),
                    operation.path("security").isMissingNode(),
                    () -> "security of " + name);
            boolean answers = operation.path("responses").properties().stream()
                    .anyMatch(each -> each.getKey().equals("204")
                            || (each.getKey().equals("200") && each.getValue().has("content")));
            assertTrue(answers, () -> name + " has no answer: " + operation.path("responses"));
        });
        assertTrue(names.contains("getEvaluations"), names::toString);
    }

    @Test
    void schemas_all_haveNamesThatSaySomething() throws Exception {
        document().path("components").path("schemas").fieldNames().forEachRemaining(name -> {
            assertFalse(name.matches(".*[0-9]"), () -> name + " is one of several; give it a name with @Schema");
        });
    }

    @Test
    void exampleOfEvents_asItStands_isTaken() throws Exception {
        String example = document()
                .at("/paths/~1register_events/post/requestBody/content/application~1json/example")
                .asText();

        given().header("authorization", "test-client")
                .body(example)
                .post("/register_events")
                .then()
                .statusCode(200)
                .body("errors", equalTo(Map.of()));
    }

    private static JsonNode document() throws Exception {
        return new ObjectMapper().readTree(given().get("/openapi?format=json").asByteArray());
    }

    private static Stream<JsonNode> operations(JsonNode document) {
        return document.path("paths").properties().stream()
                .flatMap(path -> path.getValue().properties().stream())
                .map(Map.Entry::getValue);
    }
}
