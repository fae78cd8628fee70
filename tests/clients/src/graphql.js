import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { GraphQLClient } from 'graphql-request';

const QUERY = 'query Say($text: String!) { say(text: $text) }';
const variables = { text: 'hello' };

export function apollo(options) {
    return async (server) => {
        const link = new HttpLink({ uri: `${server}/graphql`, ...options });
        const client = new ApolloClient({ link, cache: new InMemoryCache() });
        const { data } = await client.query({ query: gql(QUERY), variables });
        return data.say;
    };
}

export function graphqlRequest(options) {
    return async (server) => {
        const client = new GraphQLClient(`${server}/graphql`, options);
        const { say } = await client.request(QUERY, variables);
        return say;
    };
}
