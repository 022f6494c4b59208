// The one import for its effect: `@inject` keeps what it knows in Reflect's metadata.
import 'reflect-metadata/lite';
