// LunarLander's bodies in Box2D: the only C++ of the library. Shapes, densities, collision masks, hinges and
// numbers of iterations are those of Gymnasium 1.4 (box2d/lunar_lander.py); Box2D's own defaults elsewhere.
//
// A world lasts one episode: Box2D's lists and trees keep traces of what was destroyed in them, and only a
// fresh world gives the same bits again. Its memory comes from one malloc and Box2D's block allocator.
#include "env/lander_world.h"

#include <box2d/box2d.h>
#include <new>
#include <stdlib.h>

namespace {

const float scale = static_cast<float>(LANDER_SCALE);
const float time_step = 1.0f / 50;
const int velocity_iterations = 6 * 30, position_iterations = 2 * 30;
const int first_velocity_iterations = 400; // the legs snap into their limits; 2.3 solved those exactly
const double width = 600 / LANDER_SCALE;
const uint16 ground_bits = 0x0001, lander_bits = 0x0010, leg_bits = 0x0020;

const double lander_outline[][2] = {{-14, 17}, {-17, 0}, {-17, -10}, {17, -10}, {17, 0}, {14, 17}};

class contact_flags : public b2ContactListener {
  public:
    const b2Body *body[LANDER_BODIES] = {};
    bool leg_touches[2] = {};
    bool crashed = false;

    void BeginContact(b2Contact *contact) override {
        if (concerns(contact, body[0])) crashed = true;
        for (int leg = 0; leg < 2; leg++) {
            if (concerns(contact, body[1 + leg])) leg_touches[leg] = true;
        }
    }

    void EndContact(b2Contact *contact) override {
        for (int leg = 0; leg < 2; leg++) {
            if (concerns(contact, body[1 + leg])) leg_touches[leg] = false;
        }
    }

  private:
    static bool concerns(b2Contact *contact, const b2Body *of) {
        return contact->GetFixtureA()->GetBody() == of || contact->GetFixtureB()->GetBody() == of;
    }
};

} // namespace

struct lander_world {
    contact_flags flags;
    b2Body *body[LANDER_BODIES];
    b2RevoluteJoint *hinge[2];
    b2World world;
    bool stepped = false;

    explicit lander_world(float gravity) : world(b2Vec2(0, gravity)) {
        world.SetContactListener(&flags);
    }
};

static void add_ground(b2World *world, const float *x, const float *y) {
    b2BodyDef body;
    b2Body *ground = world->CreateBody(&body);
    b2EdgeShape edge;
    b2FixtureDef fixture;
    fixture.shape = &edge;
    edge.SetTwoSided(b2Vec2(0, 0), b2Vec2(static_cast<float>(width), 0));
    ground->CreateFixture(&fixture);
    fixture.friction = 0.1f;
    fixture.filter.categoryBits = ground_bits;
    for (int i = 0; i + 1 < LANDER_GROUND_POINTS; i++) {
        edge.SetTwoSided(b2Vec2(x[i], y[i]), b2Vec2(x[i + 1], y[i + 1]));
        ground->CreateFixture(&fixture);
    }
}

static b2Body *add_body(b2World *world, const lander_body *at, const b2FixtureDef *fixture) {
    b2BodyDef body;
    body.type = b2_dynamicBody;
    body.position.Set(at->x, at->y);
    body.angle = at->angle;
    body.angularVelocity = at->spin;
    body.linearVelocity.Set(at->vx, at->vy);
    b2Body *added = world->CreateBody(&body);
    added->CreateFixture(fixture);
    return added;
}

static b2Body *add_lander(b2World *world, const lander_body *at) {
    b2PolygonShape shape;
    b2Vec2 corner[6];
    for (int i = 0; i < 6; i++) {
        corner[i].Set(static_cast<float>(lander_outline[i][0] / LANDER_SCALE),
                      static_cast<float>(lander_outline[i][1] / LANDER_SCALE));
    }
    shape.Set(corner, 6);
    b2FixtureDef fixture;
    fixture.shape = &shape;
    fixture.density = 5;
    fixture.friction = 0.1f;
    fixture.filter.categoryBits = lander_bits;
    fixture.filter.maskBits = ground_bits;
    return add_body(world, at, &fixture);
}

// side: -1 or +1, Gymnasium's order.
static b2RevoluteJoint *add_leg(b2World *world, const lander_body *at, b2Body *lander, int side) {
    b2PolygonShape shape;
    shape.SetAsBox(2 / scale, 8 / scale);
    b2FixtureDef fixture;
    fixture.shape = &shape;
    fixture.density = 1;
    fixture.filter.categoryBits = leg_bits;
    fixture.filter.maskBits = ground_bits;
    b2Body *leg = add_body(world, at, &fixture);

    b2RevoluteJointDef hinge;
    hinge.bodyA = lander;
    hinge.bodyB = leg;
    hinge.localAnchorB.Set(static_cast<float>(side * 20 / LANDER_SCALE),
                           static_cast<float>(18 / LANDER_SCALE));
    hinge.referenceAngle = at->angle; // pybox2d measures the hinge's angle from where it begins
    hinge.enableMotor = hinge.enableLimit = true;
    hinge.maxMotorTorque = 40; // a spring's stand-in
    hinge.motorSpeed = static_cast<float>(0.3 * side);
    hinge.lowerAngle = side < 0 ? static_cast<float>(0.9 - 0.5) : -0.9f;
    hinge.upperAngle = side < 0 ? 0.9f : static_cast<float>(-0.9 + 0.5);
    return static_cast<b2RevoluteJoint *>(world->CreateJoint(&hinge));
}

lander_world *lander_world_create(float gravity, const float *ground_x, const float *ground_y,
                                  const lander_body *bodies) {
    void *memory = malloc(sizeof(lander_world));
    if (!memory) return nullptr;
    lander_world *w = new (memory) lander_world(gravity);
    add_ground(&w->world, ground_x, ground_y);
    w->body[0] = add_lander(&w->world, &bodies[0]);
    for (int leg = 0; leg < 2; leg++) {
        w->hinge[leg] = add_leg(&w->world, &bodies[1 + leg], w->body[0], leg ? +1 : -1);
        w->body[1 + leg] = w->hinge[leg]->GetBodyB();
    }
    for (int i = 0; i < LANDER_BODIES; i++) w->flags.body[i] = w->body[i];
    return w;
}

void lander_world_destroy(lander_world *w) {
    if (!w) return;
    w->~lander_world();
    free(w);
}

void lander_world_push(lander_world *w, float force_x, float force_y) {
    w->body[0]->ApplyForceToCenter(b2Vec2(force_x, force_y), true);
}

void lander_world_twist(lander_world *w, float torque) {
    w->body[0]->ApplyTorque(torque, true);
}

void lander_world_kick(lander_world *w, float impulse_x, float impulse_y, float at_x, float at_y) {
    w->body[0]->ApplyLinearImpulse(b2Vec2(impulse_x, impulse_y), b2Vec2(at_x, at_y), true);
}

// A hinge of Box2D 2.3, which Gymnasium's episodes come from, feels its limit only once it is beyond it; that
// of Box2D 2.4 slows down before. With the limit off while the angle is within, 2.4 does as 2.3 did.
static void limit_as_box2d_2_3(b2RevoluteJoint *hinge) {
    const float angle = hinge->GetJointAngle();
    hinge->EnableLimit(angle <= hinge->GetLowerLimit() || angle >= hinge->GetUpperLimit());
}

void lander_world_step(lander_world *w, lander_body *bodies) {
    for (b2RevoluteJoint *hinge : w->hinge) limit_as_box2d_2_3(hinge);
    w->world.Step(time_step, w->stepped ? velocity_iterations : first_velocity_iterations,
                  position_iterations);
    w->stepped = true;
    for (int i = 0; i < LANDER_BODIES; i++) {
        const b2Body *body = w->body[i];
        const b2Vec2 position = body->GetPosition(), velocity = body->GetLinearVelocity();
        bodies[i] = {position.x, position.y, body->GetAngle(),
                     velocity.x, velocity.y, body->GetAngularVelocity()};
    }
}

bool lander_world_leg_touches(const lander_world *w, int leg) {
    return w->flags.leg_touches[leg];
}

bool lander_world_crashed(const lander_world *w) {
    return w->flags.crashed;
}

bool lander_world_asleep(const lander_world *w) {
    return !w->body[0]->IsAwake();
}
