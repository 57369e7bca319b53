package io.flagtally.series;

import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The parameters of a query, by their name in camelCase; {@code feature_id} is {@code featureId} too. */
public record QueryParameters(MultivaluedMap<String, String> values) {

    public static QueryParameters of(UriInfo uri) {
        return new QueryParameters(uri.getQueryParameters());
    }

    /** Returns the first value of {@code name}, empty if it is missing. */
    public String text(String name) {
        String value = values.getFirst(name);
        return value != null ? value : orEmpty(values.getFirst(snakeCase(name)));
    }

    /** Returns the values of {@code name}, in order; empty ones are left out. */
    public List<String> texts(String name) {
        List<String> all = values.getOrDefault(name, values.getOrDefault(snakeCase(name), List.of()));
        return all.stream().filter(text -> !text.isEmpty()).toList();
    }

    private static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static String snakeCase(String name) {
        return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
